#!/usr/bin/env python3
"""Every variable that the code reads stands in .env.example, explained, with the code's default; so does the table of core/docs/operations.md.

  check_env.py                checks .env.example, docker-compose.yml and the table
  check_env.py --table        writes the table between its two markers
  check_env.py --self-test    checks this script

What is read: the calls of config::Reader in core/ and services/ (functions that take the reader and a name, too) with the value that stands
for an unset variable, wherever it is declared; the settings of the plugins with their descriptions; ${NAME:-default} in docker-compose.yml.
A default that cannot be read is an error, not a guess. Also: docker-compose.yml hands no variable on that nobody reads.
"""
import ast
import operator
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "core/docs/operations.md"
BEGIN = "<!-- Made by tools/check_env.py --table from .env.example and the code; do not edit. -->"
END = "<!-- End of the table. -->"
# Of the terminal, the shell or another program; not settings of ours.
FOREIGN = {"COLUMNS", "NO_COLOR", "TERM", "HOME", "PATH", "XDG_CONFIG_HOME", "PGHOST", "PGSERVICE", "PGPASSFILE", "TMPDIR", "LANG"}
# What an unset variable means where a program works it out.
WORKED_OUT = {
    "API_KEY": "made at the first start by `run.sh` and compose; else required",
    "PLUGIN_PATH": "the built plugins, then `$AIM_STATE_DIR/plugins`",
    "AIM_SQL_DIR": "found beside or above the program",
}
# Where .env.example shows what the scripts do, not the program alone.
SCRIPTS_DECIDE = {"AIM_STATE_DIR"}
# Sources -> who reads the variables that they name.
READERS = [
    ("core/runtime/options.cpp", ["business API", "health worker"]),
    ("core/http/client/proxy.cpp", ["business API", "health worker", "bot", "command line"]),
    ("services/business_api/", ["business API"]),
    ("services/data_api/", ["data API"]),
    ("services/health_worker/", ["health worker"]),
    ("services/telegram_bot/", ["bot"]),
    ("services/cli/", ["command line"]),
]
ORDER = ["business API", "data API", "health worker", "bot", "command line"]
GETTER = re.compile(r"\breader\s*\.\s*(?:Required)?(Text|Secret|Port|Integer|Number|Choice|Milliseconds|Seconds|Bytes|Bool|List|Url)\(|"
                    r"\b[A-Z]\w*(\()(?=reader,\s*[^()]*\"[A-Z])")
SETTING = re.compile(r"\"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:API_KEY|API_TOKEN|ACCOUNT_ID|ORGANIZATION|PROJECT|REFERER|TITLE|BILL_TO|TOKEN|BASE_URL))\"")
DESCRIBED = re.compile(r"sdk::Setting\(\s*\"([A-Z0-9_]+)\",\s*\"((?:[^\"\\]|\\.)*)\"")
LOOK_UP = re.compile(r"\benvironment_?(?:\(\))?\s*\.\s*(?:Get|Has)\(\s*\"([A-Z][A-Z0-9_]+)\"\s*\)")
NAME = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"')


# --- defaults in C++ -----------------------------------------------------------------------------------------------------

class Unreadable(Exception):
    pass


def arguments(text, start):
    """The arguments of a call whose opening parenthesis is text[start - 1]."""
    found, depth, begin, quoted, i = [], 0, start, False, start
    while i < len(text):
        c = text[i]
        if quoted:
            i += c == "\\"
            quoted = c != '"' or text[i] != '"'
        elif c == '"':
            quoted = True
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                found.append(text[begin:i].strip())
                return found
            depth -= 1
        elif c == "," and depth == 0:
            found.append(text[begin:i].strip())
            begin = i + 1
        i += 1
    raise Unreadable("the call does not end")


def whole_number(expression):
    """256 * 1024, 32u * 1024 * 1024, std::uint64_t{1} << 30, 10'000 -> int; None when it is none."""
    plain = re.sub(r"\b(?:std::)?u?int\d+_t\{(\d+)\}", r"\1", expression)
    plain = re.sub(r"\b([\d']+)[uUlL]*\b", lambda match: match.group(1).replace("'", ""), plain)
    if not re.fullmatch(r"[\d\s*+<()-]+", plain):
        return None
    known = {ast.Mult: operator.mul, ast.Add: operator.add, ast.Sub: operator.sub, ast.LShift: operator.lshift}

    def value(node):
        if isinstance(node, ast.BinOp):
            return known[type(node.op)](value(node.left), value(node.right))
        return node.value

    try:
        return value(ast.parse(plain.strip(), mode="eval").body)
    except (SyntaxError, KeyError, AttributeError):
        return None


DURATION = re.compile(r"(?:std::chrono::)?(milliseconds|seconds|minutes|hours)[({](.*)[)}]")
IN_MS = {"milliseconds": 1, "seconds": 1000, "minutes": 60000, "hours": 3600000}


def declared_value(type_name, member, near):
    """A struct member's (type, initialiser, header). `near` names the struct as type_name: from its own folder, a namespace's, or a class."""
    scope, _, name = type_name.rpartition("::")
    scope = scope.split("::")[-1]
    folders = [near.parent]
    if scope[:1].islower():
        folders = [path for base in ("core", "services") for path in sorted((ROOT / base).rglob(scope)) if path.is_dir()]
    for header in [header for folder in folders for header in sorted(folder.glob("*.hpp"))]:
        text = re.sub(r"//[^\n]*", "", header.read_text())
        if scope[:1].isupper():
            text = text.partition(f"class {scope} ")[2]
        struct = re.search(rf"\bstruct {name}\b(?:\s*:\s*(?:public\s+)?([\w:]+))?\s*\{{(.*?)\n *\}};", text, re.S)
        if not struct:
            continue
        found = re.search(rf"^ *([\w:<>]+)\s+{member}\s*(?:\{{([^}}]*)\}}|=\s*([^;]+))?;", struct.group(2), re.M)
        if found:
            return found.group(1), (found.group(2) or found.group(3) or "").strip(), header
        if struct.group(1):
            return declared_value(struct.group(1), member, header)
    raise Unreadable(f"no declaration of {type_name}::{member}")


def member_value(chain, text, path):
    variable, *members = chain.split(".")
    kind = re.search(rf"\b([\w:]+)\s*&?\s+{variable}\s*[;,)]", text)
    if not kind:
        raise Unreadable(f"no type of {variable}")
    type_name, where = kind.group(1), path
    for member in members:
        type_name, initialiser, where = declared_value(type_name, member, where)
    if type_name.split("::")[-1] in IN_MS:
        return f"{type_name}({initialiser})"
    return initialiser


def default_of(expression, getter, text, path):
    """A default's text as it would stand in .env; None where there is none; Unreadable."""
    if expression is None or expression == "{}":
        return None
    if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", expression):
        expression = member_value(expression, text, path)
    if expression[:1] == '"':
        return expression[1:-1] or None
    if expression in ("true", "false"):
        return expression
    unit = 1
    duration = DURATION.fullmatch(expression)
    if duration:
        unit = IN_MS[duration.group(1)] / (1000 if getter == "Seconds" else 1)
        expression = duration.group(2)
    number = whole_number(expression)
    if number is None:
        raise Unreadable(f"cannot read {expression}")
    return f"{number * unit:.0f}"


def read_by_code(text, path):
    """(name, default) of every call that reads a variable; a default is text, None, or an Unreadable."""
    for match in GETTER.finditer(text):
        parts = arguments(text, match.end())
        helper = match.group(2) is not None
        if helper:
            parts = parts[1:]
        for name in NAME.findall(parts[0]) if parts else []:
            otherwise = parts[1] if len(parts) > 1 else None
            if helper and (otherwise is None or otherwise[:1] != '"'):
                continue  # a function of another shape; what it reads is found in its body
            try:
                yield name, None if match.group(1) == "Secret" else default_of(otherwise, match.group(1), text, path)
            except Unreadable as problem:
                yield name, problem


def readers_of():
    """name -> (set of readers, set of defaults)"""
    found, listed = {}, set(listed_variables())
    for base in ("core", "services"):
        for path in sorted((ROOT / base).rglob("*.?pp")):
            relative, text = path.relative_to(ROOT).as_posix(), path.read_text()
            for name, default in read_by_code(text, path):
                found.setdefault(name, (set(), set()))[1].add(default)
            # What is read without a config::Reader: environment.Get(…), the proxy's own reader, tables of names.
            named = set(LOOK_UP.findall(text))
            if relative.endswith(("/options.cpp", "/client/proxy.cpp")):
                named.update(name for name in NAME.findall(text) if "_" in name)
            if relative.startswith("services/cli/"):
                named.update(name for name in NAME.findall(text) if name in listed)
            for name in named:
                found.setdefault(name, (set(), set()))
            for prefix, who in READERS:
                if relative.startswith(prefix):
                    for name in named | {name for name, _ in read_by_code(text, path)}:
                        found[name][0].update(who)
    return {name: value for name, value in found.items() if name not in FOREIGN}


def settings():
    for path in sorted((ROOT / "plugins").rglob("*.cpp")):
        yield from SETTING.findall(path.read_text())


def descriptions():
    """name -> (plugin, what its descriptor says)"""
    return {name: (path.parent.name, " ".join(said.split()))
            for path in sorted((ROOT / "plugins").rglob("plugin.cpp")) for name, said in DESCRIBED.findall(path.read_text())}


# --- .env.example --------------------------------------------------------------------------------------------------------

def example(text):
    """Sections in order: (title, notes, [(name, value, explanation, number of its comment)])."""
    sections, comment, fresh, number = [("", [], [])], [], True, 0
    for line in text.splitlines() + [""]:
        match = re.fullmatch(r"#?([A-Z][A-Z0-9_]*)=(.*)", line)
        if match:
            # A comment holds for the lines below it up to the next comment or an empty line.
            sections[-1][2].append((match.group(1), match.group(2).strip('"'), " ".join(comment), number))
            fresh = True
        elif line.startswith("# ---"):
            sections.append((line.strip("#- "), [], []))
            comment, fresh = [], True
        elif line.startswith("#"):
            if fresh:
                comment, fresh, number = [], False, number + 1
            comment.append(line[1:].strip())
        else:
            if comment and not fresh:
                sections[-1][1].append(" ".join(comment))
            comment, fresh = [], True
    return sections


def listed_variables():
    text = (ROOT / ".env.example").read_text()
    return {name: (value, said) for _, _, variables in example(text) for name, value, said, _ in variables}


# --- the table -----------------------------------------------------------------------------------------------------------

def cell(text):
    return text.replace("|", "\\|")


def compose_defaults():
    return dict(re.findall(r"\$\{([A-Z][A-Z0-9_]*):-([^}]*)\}", (ROOT / "docker-compose.yml").read_text()))


def table():
    read, described, compose = readers_of(), descriptions(), compose_defaults()
    nginx = (ROOT / "deploy/nginx/start.sh").read_text()

    def who(name):
        if name in described:
            return f"plugin `{described[name][0]}`"
        readers = [reader for reader in ORDER if reader in read.get(name, (set(),))[0]]
        if not readers:
            readers = ["nginx"] if re.search(rf"\b{name}\b", nginx) else ["compose"]
        return ", ".join(readers)

    def default(name, value):
        known = [each for each in read.get(name, (set(), set()))[1] if isinstance(each, str)]
        if not known and name not in read and name not in described and compose.get(name):
            return f"`{compose[name]}`"
        text = WORKED_OUT.get(name) or (f"`{known[0]}`" if known else "–")
        if compose.get(name) and compose[name] != (known[0] if known else ""):
            text += f" (compose: `{compose[name]}`)"
        return text

    lines = []
    for title, notes, variables in example((ROOT / ".env.example").read_text()):
        if not variables:
            continue
        lines += ["", f"### {title}", ""]
        lines += [line for note in notes for line in (cell(note), "")]
        lines += ["| variable | read by | default | meaning |", "| --- | --- | --- | --- |"]
        rows = []
        for name, value, said, number in variables:
            if name in described:
                said = described[name][1]
            key = (number, who(name)) if name not in described else (name,)
            if rows and rows[-1][0] == key:
                rows[-1][1].append(f"`{name}`")
                rows[-1][3].append(default(name, value))
            else:
                rows.append((key, [f"`{name}`"], who(name), [default(name, value)], said))
        for _, names, readers, defaults, said in rows:
            shown = defaults[0] if len(set(defaults)) == 1 else ", ".join(defaults)
            lines.append(f"| {' '.join(names)} | {readers} | {cell(shown)} | {cell(said)} |")
    return "\n".join(lines).strip("\n")


def with_table(text):
    """The page with the table as it must be; None when it has not both markers, once each and in this order."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        return None
    return text[:text.index(BEGIN) + len(BEGIN)] + "\n\n" + table() + "\n\n" + text[text.index(END):]


# --- checks --------------------------------------------------------------------------------------------------------------

def problems():
    listed = listed_variables()
    read = readers_of()
    wanted = set(read) | set(settings())
    compose = (ROOT / "docker-compose.yml").read_text()
    shell = "".join(path.read_text() for path in [*(ROOT / "tools").glob("*.sh"), *(ROOT / "deploy").rglob("*.sh"), ROOT / "Dockerfile"])
    in_compose = set(re.findall(r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)", compose)) | set(re.findall(r"^ +([A-Z][A-Z0-9_]+):(?: |$)", compose, re.M))
    for name in sorted(wanted):
        if name not in listed:
            yield f".env.example has no {name}, which the code reads"
            continue
        defaults = read.get(name, (set(), set()))[1]
        for default in defaults:
            if isinstance(default, Unreadable) and name not in WORKED_OUT:
                yield f"{name}: its default cannot be read ({default}); name it in WORKED_OUT of tools/check_env.py"
        known = {default for default in defaults if isinstance(default, str)}
        if len(known) > 1:
            yield f"{name} has different defaults in different programs: {', '.join(sorted(known))}"
        elif known and listed[name][0] not in ("", *known) and name not in SCRIPTS_DECIDE:
            yield f".env.example shows {name}={listed[name][0]}, the code's default is {known.pop()}"
    for name in sorted(set(re.findall(r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)", compose)) - set(listed)):
        yield f".env.example has no {name}, which docker-compose.yml reads"
    for name in sorted(in_compose - wanted):
        if not re.search(rf"\b{name}\b", shell) and not name.startswith("POSTGRES_") and compose.count("${" + name) == 0:
            yield f"docker-compose.yml hands {name} on, which nobody reads"
    for name, (_, said) in sorted(listed.items()):
        if not said:
            yield f".env.example does not explain {name}"
        if name not in wanted and name not in in_compose and not re.search(rf"\b{name}\b", shell):
            yield f".env.example has {name}, which nobody reads"
    page = PAGE.read_text()
    fresh = with_table(page)
    if fresh is None:
        yield f"{PAGE.relative_to(ROOT)} has not both markers of the table, once each"
    elif fresh != page:
        yield f"{PAGE.relative_to(ROOT)}: the table is not up to date; tools/check_env.py --table writes it"


def self_test():
    here = ROOT / "services/telegram_bot/options.cpp"
    found = dict(read_by_code(
        'reader.Port("A_PORT", 80); reader.RequiredSecret("B_KEY"); reader.Integer(\n "E_F", 10\'000, 1, 2);\n'
        'options.x = reader.Text("G_H", "*,("); other.Text("NOT_ONE");'
        'reader.Bytes("I_J", 32u * 1024 * 1024, 1024, std::uint64_t{1} << 30); reader.Bytes("K_L", std::uint64_t{1} << 30);'
        'reader.Milliseconds("M_N", std::chrono::seconds(5)); reader.Seconds("O_P", seconds(50), seconds(1)); reader.Bool("Q_R", true);'
        'ReadUrl(reader, old ? "S_T" : "U_V", "http://x"); reader.Text("W_X", path); reader.Text("Y_Z");', here))
    bad = found.pop("W_X")
    assert isinstance(bad, Unreadable), bad
    assert found == {"A_PORT": "80", "B_KEY": None, "E_F": "10000", "G_H": "*,(", "I_J": "33554432", "K_L": "1073741824", "M_N": "5000",
                     "O_P": "50", "Q_R": "true", "S_T": "http://x", "U_V": "http://x", "Y_Z": None}, found
    assert SETTING.findall('{"GROQ_API_KEY", kSecret}, "MAX_TOKENS"') == ["GROQ_API_KEY"]
    assert DESCRIBED.findall('sdk::Setting("A_KEY",\n "Key of A.", AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)') == [
        ("A_KEY", "Key of A.")]
    parsed = example('# Note.\n\n# --- One ---\n# Said\n# twice.\nA=1\n#B=\n# Other.\nC="x"\n\n# --- Two ---\nD=\n')
    assert parsed == [("", ["Note."], []), ("One", [], [("A", "1", "Said twice.", 2), ("B", "", "Said twice.", 2), ("C", "x", "Other.", 3)]),
                      ("Two", [], [("D", "", "", 3)])], parsed
    # Of the tree itself, one of each way in which a default is declared: by a member of the options, of a struct elsewhere, of a base, of a
    # class's settings, by a function that takes the reader.
    read = readers_of()
    for name in ("HEALTH_CHECK_INTERVAL", "CONNECT_TIMEOUT_MS", "REQUEST_TIMEOUT_MS", "BOT_CONFLICT_WAIT_MS", "TELEGRAM_API_URL"):
        assert [type(default) for default in read[name][1]] == [str], (name, read[name])


if __name__ == "__main__":
    if "-h" in sys.argv or "--help" in sys.argv:
        print(__doc__.strip())
        sys.exit(0)
    unknown = set(sys.argv[1:]) - {"--table", "--self-test"}
    if unknown:
        print(f"check_env: unknown option {' '.join(sorted(unknown))}", file=sys.stderr)
        sys.exit(2)
    self_test()
    if "--self-test" in sys.argv:
        print("check_env: self-test passed")
        sys.exit(0)
    if "--table" in sys.argv:
        written = with_table(PAGE.read_text())
        if written is None:
            sys.exit(f"check_env: {PAGE.relative_to(ROOT)} has not both markers of the table, once each")
        PAGE.write_text(written)
    found = list(problems())
    for problem in found:
        print("check_env: " + problem)
    sys.exit(1 if found else 0)
