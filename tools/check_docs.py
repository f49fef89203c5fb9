#!/usr/bin/env python3
"""Holds every *.md of the tree against the tree: what a page names must be there.

    tools/check_docs.py              checks the tree
    tools/check_docs.py --self-test  checks this script on a made-up tree with known mistakes

Links           a relative link leads to a file, its anchor to a heading of that file
Paths           `core/…`, `tools/…` and the like in backticks exist (a name without its ending will do)
Commands        a line of a sh or bash block, or a command in backticks, that begins with a script of the tree names one that can be run and
                options that its source knows; so do `aimanager` (with its commands), the services' programs, `make` and `docker compose`
HTTP            the path and the method of a curl line, and of `GET /api/v1/…` in backticks, stand in services/*/openapi.json; its JSON is JSON
Programs        a block of Python is Python
Variables       a word in backticks that looks like a setting (`LIKE_THIS`, `LIKE_THIS=value`) stands in .env.example, or in OTHER_WORDS below
Metrics         `aimanager_…` in backticks occurs in the code, and every metric of the code stands in core/docs/operations.md
"""
import ast
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

import check_kit

# Words that look like settings and are none of ours, each with whose they are.
OTHER_WORDS = {
    "API_KEY_INVALID": "a status of Google's API",
    "FAILED_PRECONDITION": "a status of Google's API",
    "ACME_API_KEY": "of the example in the plugin writer's guide",
    "BUILD_DIR": "an argument of scripts",
    "NO_COLOR": "a convention of command lines",
    "SSL_CERT_FILE": "OpenSSL's", "SSL_CERT_DIR": "OpenSSL's",
    "PKG_CONFIG_PATH": "pkg-config's",
    "COMPOSE_PROFILES": "Compose's",
    "PGDATA": "PostgreSQL's",
    "SO_REUSEPORT": "the kernel's", "MADV_POPULATE_WRITE": "the kernel's", "MADV_DONTNEED": "the kernel's",
}
# AIM_… is also the prefix of the C interface, of CMake options and of what tests and scripts hand each other: it must occur in one of these.
OWN_PREFIX, OWN_FOLDERS = "AIM_", ("abi", "tests", "tools")
PATH = re.compile(r"(?:abi|core|plugins|services|sql|tests|tools|deploy)/[\w./-]+")
SCRIPT = re.compile(r"(?:\./)?((?:tools|deploy|tests|\.ci)/[\w./-]+)")
SETTING = re.compile(r"\$?\{?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\}?(?:[=/: ].*)?")
METRIC = re.compile(r"\baimanager_[a-z0-9_]+")
OPERATIONS = "core/docs/operations.md"
# curl's options that take a value, and those that make it a POST.
CURL_VALUES = {"-H", "-d", "-X", "-o", "-w", "-u", "-m", "--header", "--data", "--data-binary", "--json", "--request", "--max-time", "--output"}
CURL_POST = {"-d", "--data", "--data-binary", "--json"}
# compose's options before a service's name that take a value.
COMPOSE_VALUES = {"-e", "-u", "-w", "-f", "-p", "--profile", "--env-file", "--scale", "--tail", "--user", "--env", "--entrypoint"}


# --- Markdown ------------------------------------------------------------------------------------------------------------

def split_page(text):
    """Lines of prose and code blocks: ([(line number, text)], [(language, [(line number, text)])])."""
    prose, blocks, fence = [], [], None
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(`{3,}|~{3,})\s*([\w+-]*)", line)
        if fence is None and mark:
            fence = mark.group(1)
            blocks.append((mark.group(2).lower(), []))
        elif fence is not None and mark and mark.group(1)[0] == fence[0] and len(mark.group(1)) >= len(fence) and not mark.group(2):
            fence = None
        elif fence is not None:
            blocks[-1][1].append((number, line))
        else:
            prose.append((number, line))
    return prose, blocks


def anchors(text):
    """The anchors of a page's headings, by GitHub's rule, and those that are written out."""
    found, seen = set(re.findall(r"<a\s+(?:id|name)=\"([^\"]+)\"", text)), {}
    for _, line in split_page(text)[0]:
        heading = re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if not heading:
            continue
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1)).lower()
        slug = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        seen[slug] = seen.get(slug, -1) + 1
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
    return found


# --- shell ---------------------------------------------------------------------------------------------------------------

def commands(text):
    """The simple commands of a line of shell as lists of words, those within $(…) too. Quotes are taken away, comments left out."""
    found, words, word, quote, i = [], [], None, "", 0
    while i < len(text):
        c = text[i]
        if c == "$" and text[i + 1:i + 2] == "(" and quote != "'":
            depth, end = 0, i + 1
            while end < len(text):
                depth += {"(": 1, ")": -1}.get(text[end], 0)
                end += 1
                if depth == 0:
                    break
            found += commands(text[i + 2:end - 1])
            word = (word or "") + "$X"
            i = end
            continue
        if quote:
            if c == quote:
                quote = ""
            else:
                word += c
        elif c in "'\"":
            quote, word = c, word or ""
        elif c == "\\" and i + 1 < len(text):
            i += 1
            word = (word or "") + text[i]
        elif c == "#" and word is None:
            i = text.find("\n", i) if "\n" in text[i:] else len(text)
            continue
        elif c.isspace() or c in ";&|()":
            if word is not None:
                words.append(word)
                word = None
            if c in ";&|()\n" and words:
                found.append(words)
                words = []
        else:
            word = (word or "") + c
        i += 1
    if word is not None:
        words.append(word)
    return found + ([words] if words else [])


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


# --- the tree ------------------------------------------------------------------------------------------------------------

class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "*.md"], capture_output=True, text=True)
        names = listed.stdout.splitlines() if listed.returncode == 0 else [
            path.relative_to(self.root).as_posix() for path in self.root.rglob("*.md")]
        self.pages = sorted(name for name in names if (self.root / name).is_file() and not name.startswith(("build/", "var/")))
        self.settings = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", self.text(".env.example"), re.M))
        self.compose = self.text("docker-compose.yml")
        self.services = set(re.findall(r"^  ([a-z][\w-]*):$", self.compose.partition("\nservices:")[2].partition("\nnetworks:")[0], re.M))
        self.targets = set(re.findall(r"^([a-z][\w-]*):", self.text("Makefile"), re.M))
        self.cached = {}
        self.called = None  # all words of the code that could be metrics
        self.apis = {}
        for name in ("business_api", "data_api"):
            if self.text(f"services/{name}/openapi.json"):
                document = json.loads(self.text(f"services/{name}/openapi.json"))
                prefixes = [server["url"].rstrip("/") for server in document.get("servers", [{"url": "/"}])]
                self.apis[name] = {prefix + path: set(item) for prefix in prefixes for path, item in document["paths"].items()}

    def text(self, name):
        path = self.root / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def sources(self, *folders, endings=(".h", ".hpp", ".c", ".cpp", ".sh", ".py", ".mjs", ".cmake", ".txt", ".in", ".yml", ".json", ".template")):
        """All of these folders' files in one text."""
        if (folders, endings) not in self.cached:
            files = (path for folder in folders for path in sorted((self.root / folder).rglob("*")) if path.suffix in endings and path.is_file())
            self.cached[(folders, endings)] = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
        return self.cached[(folders, endings)]

    # --- what a page may name; each yields sentences ---

    def link(self, page, target):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            return
        path, _, anchor = target.partition("#")
        path = urllib.parse.unquote(path)
        if path.startswith("/"):
            yield f"the link {target} is not relative"
            return
        file = self.root / os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else self.root / page
        if not file.exists():
            yield f"the link {target} leads nowhere"
        elif anchor and (file.suffix != ".md" or anchor not in anchors(file.read_text(encoding="utf-8"))):
            yield f"the link {target} leads to no heading"

    def path(self, page, name):
        name = name.rstrip("./")
        beside = os.path.dirname(page)
        for place in (name, os.path.join(beside, name), os.path.join("abi/include/aim", name)):
            file = self.root / place
            # Without its ending: `core/http/router` is a header and a source.
            if file.exists() or (file.parent.is_dir() and any(file.parent.glob(file.name + ".*"))):
                return
        yield f"there is no {name}"

    def variable(self, name):
        if name in self.settings or name in OTHER_WORDS:
            return
        if name.startswith(OWN_PREFIX) and re.search(rf"\b{name}\b", self.sources(*OWN_FOLDERS)):
            return
        yield f"{name} is not in .env.example (or is it another's word? OTHER_WORDS of tools/check_docs.py)"

    def metric(self, name):
        if self.called is None:
            self.called = set(METRIC.findall(self.sources("core", "services", "deploy") + self.compose))
        # A prefix is written with a star behind it.
        if name not in self.called and not (name.endswith("_") and any(known.startswith(name) for known in self.called)):
            yield f"nothing in the code is called {name}"

    def request(self, method, host, path):
        port = host.rpartition(":")[2] if ":" in host else ""
        name = host.rpartition(":")[0] or host
        if name not in ("", "127.0.0.1", "localhost", "[::1]") and not name.startswith(("$", "aimanager_")):
            return
        if port in ("8002", "8003"):
            if path not in ("/health", "/ready", "/metrics"):
                yield f"port {port} has no {path}"
            return
        if path == "/nginx-health" and "location = /nginx-health" in self.text("deploy/nginx/aimanager.conf.template"):
            return
        if port == "8001":
            apis = ["data_api"]
        elif host == "":
            apis = list(self.apis)
        else:
            apis = ["business_api"]
        asked, methods = path.rstrip("/").split("/"), set()
        for template, known in ((template, known) for api in apis for template, known in self.apis.get(api, {}).items()):
            wanted = template.split("/")
            if len(wanted) == len(asked) and all(w == a or (w.startswith("{") and a) for w, a in zip(wanted, asked)):
                methods |= known
        if not methods:
            yield f"no openapi.json has the path {path}"
        elif method.lower() not in methods:
            yield f"{path} has no {method}"

    def curl(self, words):
        method, url, i = "GET", "", 1
        while i < len(words):
            word = words[i]
            if word in ("-X", "--request") and i + 1 < len(words):
                method = words[i + 1]
            elif word in CURL_POST:
                method = "POST" if method == "GET" else method
                body = words[i + 1] if i + 1 < len(words) else ""
                if body.startswith("{") and not is_json(body):
                    yield f"this is no JSON: {body}"
            elif re.match(r"https?://|\$\w+/|\$\{\w+\}/", word):
                url = word
            i += 2 if word in CURL_VALUES else 1
        match = re.match(r"(?:https?://)?([^/]*)(/[^?#]*)", url)
        if match:
            yield from self.request(method, *match.groups())

    def options(self, program, words, source):
        for word in words:
            option = re.match(r"--[a-z][\w-]*", word)
            if option and not re.search(rf"(?<![\w-]){option.group(0)}(?![\w-])", source):
                yield f"{program} has no option {option.group(0)}"

    def script(self, name, words):
        file = self.root / name
        if not file.is_file():
            yield f"there is no {name}"
            return
        source = self.text(name)
        if not os.access(file, os.X_OK):
            yield f"{name} cannot be executed"
        yield from self.options(name, words, source)
        # A verb, a check, a phase.
        if words and re.fullmatch(r"[a-z][a-z-]+", words[0]) and not re.search(rf"(?<![\w-]){words[0]}(?![\w-])", source):
            yield f"{name} does not know {words[0]}"

    def program(self, name, words):
        folder = {"aimanager": "services/cli"}.get(name) or "services/" + name[len("aimanager-"):].replace("-", "_")
        if not (self.root / folder).is_dir():
            yield f"there is no program {name}"
            return
        source = self.sources(folder, "core", endings=(".cpp", ".hpp")) if name != "aimanager" else self.sources(folder, endings=(".cpp", ".hpp"))
        yield from self.options(name, words, source)
        group = r"[a-z]+(?:-[a-z]+)*"
        if name == "aimanager" and words and re.fullmatch(group, words[0]):
            known = set(re.findall(r"add_subcommand\(\s*\"([a-z-]+)\"", source))
            taken = [words[0]]
            # keys, models and plugin have commands of their own.
            if words[0] in ("keys", "models", "plugin") and len(words) > 1 and re.fullmatch(group, words[1]):
                taken.append(words[1])
            yield from (f"aimanager has no command {word}" for word in taken if word not in known)

    def docker_compose(self, words):
        for i, word in enumerate(words):
            if word == "--profile" and words[i + 1:] and not re.search(rf"profiles: \[.*\b{words[i + 1]}\b", self.compose):
                yield f"docker-compose.yml has no profile {words[i + 1]}"
        rest, verb = list(words), ""
        while rest:
            word = rest.pop(0)
            if word in COMPOSE_VALUES:
                rest = rest[1:]
            elif word.startswith("-"):
                continue
            elif not verb:
                verb = word
            elif verb in ("exec", "run"):
                if word not in self.services:
                    yield f"docker-compose.yml has no service {word}"
                inner = rest[1:] if rest[:1] == ["/usr/lib/aimanager/container/entrypoint.sh"] else rest
                yield from self.command(inner)
                return
            elif verb in ("up", "logs", "restart", "stop", "start", "build", "pull") and word not in self.services:
                yield f"docker-compose.yml has no service {word}"

    def command(self, words):
        words = list(words)
        given = []
        while words and (re.match(r"[A-Za-z_]\w*=", words[0]) or words[0] in ("sudo", "nice", "exec", "time", "env", "!", "if", "then", "do")):
            given.append(words.pop(0).partition("=")[0])
        if not words:
            return
        if words[0] in ("python3", "bash", "sh") and len(words) > 1 and SCRIPT.fullmatch(words[1]):
            words.pop(0)
        script = SCRIPT.fullmatch(words[0])
        program = re.fullmatch(r"(?:.*/bin/)?(aimanager(?:-[a-z-]+)?)", words[0])
        if script:
            yield from self.script(script.group(1), words[1:])
        elif program:
            yield from self.program(program.group(1), words[1:])
        elif words[0] == "make":
            yield from (f"the Makefile has no target {word}" for word in words[1:] if re.fullmatch(r"[a-z]+", word) and word not in self.targets)
        elif words[:2] == ["docker", "compose"]:
            yield from self.docker_compose(words[2:])
        elif words[0] == "curl":
            yield from self.curl(words)
        if script or program:
            for name in given:
                if SETTING.fullmatch(name):
                    yield from self.variable(name)

    def span(self, page, code):
        """What stands in backticks."""
        setting = SETTING.fullmatch(code)
        request = re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) (/(?:api/)?v1/[\w/{}.$-]+)(?:\?\S*)?", code)
        if SCRIPT.match(code) and " " in code or code.startswith(("docker compose ", "aimanager ", ".ci/run")):
            for words in commands(code):
                yield from self.command(words)
        elif PATH.fullmatch(code):
            yield from self.path(page, code)
        elif request and not page.startswith(("plugins/", "tests/")):
            yield from self.request(request.group(1), "", request.group(2))
        elif setting:
            yield from self.variable(setting.group(1))
            if " " in code:
                for words in commands(code):
                    yield from self.command(words)
        else:
            for name in METRIC.findall(code):
                yield from self.metric(name)

    def check_page(self, page):
        prose, blocks = split_page(self.text(page))
        for number, line in prose:
            spans = re.findall(r"(`+)(.+?)\1(?!`)", line)
            plain = re.sub(r"(`+).+?\1(?!`)", "`", line)
            for target in re.findall(r"\]\(\s*<?([^)\s>]+)", plain) + re.findall(r"^\s*\[[^\]]+\]:\s*(\S+)", plain):
                yield from ((number, sentence) for sentence in self.link(page, target))
            for _, code in spans:
                yield from ((number, sentence) for sentence in self.span(page, code.strip()))
        for language, lines in blocks:
            if language == "python":
                try:
                    ast.parse("\n".join(line for _, line in lines))
                except SyntaxError as error:
                    yield lines[min(error.lineno or 1, len(lines)) - 1][0], f"this is no Python: {error.msg}"
            if language not in ("sh", "bash", "shell", "console"):
                continue
            text, first = "", 0
            for number, line in lines:
                first = first or number
                text += line
                if text.endswith("\\"):
                    text = text[:-1]
                    continue
                for words in commands(text):
                    yield from ((first, sentence) for sentence in self.command(words))
                text, first = "", 0

    def missing_metrics(self):
        """Metrics of the code that the operations page does not have."""
        names = set(re.findall(r'"(aimanager_[a-z0-9_]+)"', self.sources("core", "services", endings=(".cpp", ".hpp"))))
        explained = set(METRIC.findall(self.text(OPERATIONS)))
        yield from (f"the metric {name} is not explained" for name in sorted(names - self.services - explained))

    def check(self):
        found = [f"{page}:{number}: {sentence}" for page in self.pages for number, sentence in self.check_page(page)]
        if self.text(OPERATIONS):
            found += [f"{OPERATIONS}:1: {sentence}" for sentence in self.missing_metrics()]
        return found


# --- self-test -----------------------------------------------------------------------------------------------------------

def self_test():
    """A made-up tree; each page says how many problems it has. A rule that stops working, or hits the innocent, is noticed."""
    files = {
        ".env.example": "#A_PORT=80\nB_KEY=\n",
        "Makefile": "up:\n\t@tools/run.sh\n",
        "docker-compose.yml": "# x\nservices:\n  web_api:\n    profiles: [two]\n  other:\n    image: x\n\nnetworks:\n  n:\n",
        "services/business_api/openapi.json": '{"servers":[{"url":"/"}],"paths":{"/api/v1/a":{"post":{}},"/api/v1/a/{id}":{"get":{}}}}',
        "services/data_api/openapi.json": '{"servers":[{"url":"/api/v1"},{"url":"/"}],"paths":{"/b":{"get":{}}}}',
        "services/data_api/main.cpp": '// --seed-only\n"aimanager_known_total"\n',
        "services/cli/x.cpp": 'add_subcommand(\n  "keys"); add_subcommand("create"); "--scope"\n',
        "core/x/y.cpp": "", "abi/include/aim/abi/a.h": "#define AIM_KNOWN 1\n",
        "tools/run.sh": "#!/bin/sh\n# --stop  start\n", "tools/plain.py": "",
    }
    pages = {
        "links.md": ("# One Title\n## `Code` & more\n[a](tools/run.sh) [b](#one-title) [c](links.md#code--more) [d](http://x/y) [e](core)\n"
                     "`[f](nowhere)`\n```\n[g](nowhere)\n```\n"
                     "[h](nowhere.md) [i](#no-title) [j](/tools) [k](tools/run.sh#x)\n\n[l]: nowhere\n", 5),
        "core/beside.md": ("[a](../tools/run.sh) [b](x/y.cpp) [c](../links.md#one-title) [d](links.md)", 1),
        "paths.md": ("`core/x/y` `core/x/y.cpp` `core/x` `tools/run.sh` `core/*` `core/x/z` `tools/gone.sh`", 2),
        "words.md": ("`A_PORT` `A_PORT=80` `$B_KEY` `B_KEY/x` `SO_REUSEPORT` `AIM_KNOWN` `A_PORT=1 tools/run.sh --stop` `GET_x` `ONE`\n"
                     "`C_PORT` `AIM_UNKNOWN` `A_PORTS=80` `A_PORT=1 tools/run.sh --go`", 4),
        "commands.md": ("```sh\ntools/run.sh --stop   # not --this\nA_PORT=1 tools/run.sh start && make up\nX=$(aimanager keys create web --scope a)\n"
                        "docker compose exec web_api aimanager keys create\ndocker compose --profile two up -d other\nls --any\n"
                        "build/release/bin/aimanager-data-api --seed-only\necho 'tools/run.sh --quoted'\n```\n"
                        "```sh\ntools/run.sh --go\ntools/gone.sh\ntools/run.sh stopp\nmake down\naimanager key list\naimanager keys make\n"
                        "aimanager keys create --scop a\ndocker compose exec web ls\ndocker compose --profile three up\naimanager-data-api --seed\n"
                        "NO_PORT=1 tools/run.sh\necho $(tools/run.sh --inner)\npython3 tools/plain.py\naimanager-x\n```\n"
                        "`tools/run.sh --span`\n```\ntools/run.sh --not-shell\n```\n", 15),
        "http.md": ("```sh\ncurl -sS http://127.0.0.1:8000/api/v1/a -H 'X: y' \\\n   -d '{\"a\":1}'\ncurl -X GET \"$url/api/v1/a/$ID?x=1\"\n"
                    "curl http://127.0.0.1:8001/api/v1/b; curl http://127.0.0.1:8001/b\ncurl https://example.org/c\ncurl localhost:8002/metrics\n"
                    "curl http://127.0.0.1:8002/metrics\n```\n`POST /api/v1/a` `GET /api/v1/b`\n"
                    "```sh\ncurl http://127.0.0.1:8000/api/v1/a\ncurl http://127.0.0.1:8000/api/v1/c\ncurl http://127.0.0.1:8000/b\n"
                    "curl http://127.0.0.1:8001/b -d x\ncurl http://127.0.0.1:8003/docs\n"
                    "curl http://127.0.0.1:8000/api/v1/a -d '{\"a\":}'\n```\n`GET /api/v1/a` `POST /api/v1/c`\n", 8),
        "programs.md": ("```python\nprint(1)\n```\n```python\nprint(1\n```\n```js\nprint(1\n```\n", 1),
        "metrics.md": ("`aimanager_known_total` `aimanager_known_*` `rate(aimanager_known_total[5m])` `aimanager_unknown_total`", 1),
        OPERATIONS: ("aimanager_other_total", 1),
    }
    return check_kit.self_test("check_docs", "pages", pages, lambda root: Tree(root).check(), files)


def check(root):
    tree = Tree(root)
    return tree.pages, tree.check()


if __name__ == "__main__":
    sys.exit(check_kit.main(__doc__, "docs", "pages", self_test, check))
