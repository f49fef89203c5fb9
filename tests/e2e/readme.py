"""The README's commands and programs as they stand there, against the running system: every curl, every aimanager, Python and Node. Rows of e2e.py.

  readme.py BUILD_DIR NODE_DIR     NODE_DIR has node_modules

Only addresses and the build folder are put in their places. Left out: what never ends (its flag is), and what asks a provider on the internet.
"""
import os
import pathlib
import re
import subprocess
import sys
import time

from openapi_client import Api

BUILD, NODE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
PAGE = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
PLACES = {"http://127.0.0.1:8000": os.environ["AIM_BUSINESS"], "http://127.0.0.1:8001": os.environ["AIM_DATA"], "build/release/bin/": f"{BUILD}/bin/"}
ENDLESS = re.compile(r" --(?:watch|follow)\b")
ELSEWHERE = re.compile(r"models discover\b")
# An answer other than 2xx is a failure.
SHELL = 'set -euo pipefail\ncurl() { command curl --fail-with-body --max-time 60 "$@"; }\n'
ENVIRONMENT = {**os.environ, "API_KEY": os.environ["AIM_KEY"], "BUSINESS_API_URL": os.environ["AIM_BUSINESS"], "DATA_API_URL": os.environ["AIM_DATA"]}


def run(what, command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, env=ENVIRONMENT)
    assert done.returncode == 0 and (done.stdout.strip() or what.startswith("KEY=")), f"README.md: {what}\nexit code {done.returncode}\n{done.stdout}"


def wait_for_models(names, others=()):
    """Until the gateway has these, and none of the others."""
    deadline = time.monotonic() + 60
    while True:
        states = {model["name"]: model["state"] for model in business.call("GET", "/api/v1/models", expect=200).json()}
        if set(names) <= set(states) and not any(states.get(name, "inactive") != "inactive" for name in others):
            return
        assert time.monotonic() < deadline, states
        time.sleep(0.1)


# Those that are meant to fail have no part in this.
business, data = Api(os.environ["AIM_BUSINESS"]), Api(os.environ["AIM_DATA"])
others = {row["name"]: row["id"] for row in data.call("GET", "/models", expect=200).json() if row["name"] not in ("ok", "vectors")}
for row in others.values():
    data.call("PATCH", "/models/" + row, {"is_active": False}, expect=200)
wait_for_models(["ok", "vectors"], others)

counts = {"command": 0, "python": 0, "js": 0}
for language, block in re.findall(r"^```(sh|python|js)\n(.*?)^```$", PAGE, re.S | re.M):
    for place, here in PLACES.items():
        block = block.replace(place, here)
    if language == "python":
        run(block, [sys.executable, "-"], block)
        counts["python"] += 1
    elif language == "js":
        # Modules are found beside the file that imports them.
        program = NODE / f"readme_{counts['js']}.mjs"
        program.write_text(block, encoding="utf-8")
        run(block, ["node", str(program)])
        counts["js"] += 1
    else:
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("sleep "):
                wait_for_models(re.findall(r'"name":"([^"]+)"', block.partition(line)[0]))
            if not re.match(r"(?:KEY=\$\()?(?:curl |\S+/bin/aimanager )", line) or ELSEWHERE.search(line):
                continue
            run(line, ["bash", "-c", SHELL + ENDLESS.sub("", line)])
            counts["command"] += 1
# So that a page of another shape is not taken for one without mistakes.
assert counts["command"] >= 12 and counts["python"] == 2 and counts["js"] == 2, counts
print(f"readme: {counts['command']} commands, {counts['python']} programs in Python, {counts['js']} in Node")
