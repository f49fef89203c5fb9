"""Requests made at random from both OpenAPI documents: whatever is sent, no answer is a 5xx. The same requests in every run."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from openapi_client import Api

business, data = Api(os.environ["AIM_BUSINESS"]), Api(os.environ["AIM_DATA"])

# Only models that answer are left, each with what it can: a 502 of a model that is meant to fail would say nothing.
CAPABILITIES = {"ok": ["stream", "tools", "json_schema", "vision"], "vectors": ["embeddings"]}
for row in data.call("GET", "/models", expect=200).json():
    change = {"capabilities": CAPABILITIES[row["name"]]} if row["name"] in CAPABILITIES else {"is_active": False}
    data.call("PATCH", "/models/" + row["id"], change, expect=200)
deadline = time.monotonic() + 60
while {m["name"] for m in business.call("GET", "/api/v1/models", expect=200).json() if m["state"] == "available"} != set(CAPABILITIES):
    assert time.monotonic() < deadline, "the catalogue has not followed"
    time.sleep(0.1)

tool = str(pathlib.Path(sys.executable).with_name("schemathesis"))
with tempfile.TemporaryDirectory() as folder:
    for api in (os.environ["AIM_BUSINESS"], os.environ["AIM_DATA"]):
        command = [tool, "run", api + "/openapi.json", "--header", "X-API-Key: " + os.environ["AIM_KEY"], "--checks", "not_a_server_error",
                   "--phases", "examples,fuzzing", "--max-examples", "6", "--max-time", "10", "--generation-deterministic", "--continue-on-failure",
                   "--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "60", "--no-color"]
        run = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        assert run.returncode == 0, run.stdout
        print(next(line.strip() for line in run.stdout.splitlines() if "generated" in line), "from", api + "/openapi.json")
