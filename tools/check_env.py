#!/usr/bin/env python3
"""Every variable that the code reads stands in .env.example, explained, with the default of the code where it is a plain one.

  check_env.py [--self-test]

Reads the calls of config::Reader and config::Environment in core/ and services/, the settings of the plugins in plugins/, and ${NAME} in
docker-compose.yml. Also: docker-compose.yml hands no variable on that nobody reads.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Of the terminal, the shell or another program; not settings of ours.
FOREIGN = {"COLUMNS", "NO_COLOR", "TERM", "HOME", "PATH", "XDG_CONFIG_HOME", "PGHOST", "PGSERVICE", "PGPASSFILE", "TMPDIR", "LANG"}
CALL = re.compile(
    r"\b(?:reader|environment\(\)|environment_?|environment)\s*\.\s*(?:Required)?"
    r"(?:Text|Secret|Port|Integer|Choice|Milliseconds|Seconds|Bytes|Bool|List|Url|Has|Get)\(\s*\"([A-Z][A-Z0-9_]+)\"(?:\s*,\s*([^,)]+))?")
SETTING = re.compile(r"\"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:API_KEY|API_TOKEN|ACCOUNT_ID|ORGANIZATION|PROJECT|REFERER|TITLE|BILL_TO|TOKEN|BASE_URL))\"")
PLAIN_DEFAULT = re.compile(r"\"[^\"]*\"|\d[\d']*")


def read_by_code(text):
    """name -> default as text, or None where it is no plain one"""
    found = {}
    for name, default in CALL.findall(text):
        default = default.strip()
        plain = PLAIN_DEFAULT.fullmatch(default)
        found[name] = None if not plain else default[1:-1] if default[0] == '"' else default.replace("'", "")
    return found


def sources():
    for folder in ("core", "services"):
        for path in sorted((ROOT / folder).rglob("*.?pp")):
            text = path.read_text()
            yield text
            if path.name == "options.cpp":  # helpers there take a name as an argument
                yield "".join(f'reader.Has("{name}")' for name in re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"', text))


def settings():
    for path in sorted((ROOT / "plugins").rglob("*.cpp")):
        yield from SETTING.findall(path.read_text())


def example():
    """name -> (value, is explained)"""
    found, explained = {}, False
    for line in (ROOT / ".env.example").read_text().splitlines():
        match = re.fullmatch(r"#?([A-Z][A-Z0-9_]*)=(.*)", line)
        if match:
            # A comment holds for the lines below it up to an empty line.
            found[match.group(1)] = (match.group(2).strip('"'), explained)
        else:
            explained = line.startswith("# ") and not line.startswith("# ---") or (explained and line != "")
    return found


def problems():
    listed = example()
    wanted = {}
    for text in sources():
        for name, default in read_by_code(text).items():
            if name not in FOREIGN:
                wanted[name] = wanted.get(name) or default
    wanted.update({name: None for name in settings()})
    compose = (ROOT / "docker-compose.yml").read_text()
    shell = "".join(path.read_text() for path in [*(ROOT / "tools").glob("*.sh"), *(ROOT / "deploy").rglob("*.sh"), ROOT / "Dockerfile"])
    in_compose = set(re.findall(r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)", compose)) | set(re.findall(r"^ +([A-Z][A-Z0-9_]+):(?: |$)", compose, re.M))
    for name in sorted(wanted):
        if name not in listed:
            yield f".env.example has no {name}, which the code reads"
        elif name not in ("AIM_STATE_DIR",) and wanted[name] and listed[name][0] and listed[name][0] != wanted[name]:
            yield f".env.example shows {name}={listed[name][0]}, the code's default is {wanted[name]}"
    for name in sorted(set(re.findall(r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)", compose)) - set(listed)):
        yield f".env.example has no {name}, which docker-compose.yml reads"
    for name in sorted(in_compose - set(wanted)):
        if not re.search(rf"\b{name}\b", shell) and not name.startswith("POSTGRES_") and compose.count("${" + name) == 0:
            yield f"docker-compose.yml hands {name} on, which nobody reads"
    for name, (_, explained) in sorted(listed.items()):
        if not explained:
            yield f".env.example does not explain {name}"
        if name not in wanted and name not in in_compose and not re.search(rf"\b{name}\b", shell):
            yield f".env.example has {name}, which nobody reads"


def self_test():
    found = read_by_code('reader.Port("A_PORT", 80); reader.RequiredSecret("B_KEY"); environment().Has("C_D"); reader.Integer(\n "E_F", 10\'000, 1);\n'
                         'options.x = reader.Text("G_H", "*"); other.Text("NOT_ONE");')
    assert found == {"A_PORT": "80", "B_KEY": None, "C_D": None, "E_F": "10000", "G_H": "*"}, found
    assert SETTING.findall('{"GROQ_API_KEY", kSecret}, "MAX_TOKENS"') == ["GROQ_API_KEY"]


if __name__ == "__main__":
    if "-h" in sys.argv or "--help" in sys.argv:
        print(__doc__.strip())
        sys.exit(0)
    self_test()
    if "--self-test" in sys.argv:
        print("check_env: self-test passed")
        sys.exit(0)
    found = list(problems())
    for problem in found:
        print("check_env: " + problem)
    sys.exit(1 if found else 0)
