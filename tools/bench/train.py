"""What tools/profile.sh has the instrumented programs do: train.py ROOT BUILD_DIR.

The mix is what users do most: whole answers and streams, over plain and TLS upstreams, by both APIs; some refusals beside them. Counts
matter, not times: the load is a closed one and short.
"""
import json
import os
import shutil
import signal
import subprocess
import sys

import measure
from processes import API_KEY, BenchError, Machine, fetch, say

WHOLE, TLS, MOCK, STREAMS, DELTAS, SINGLE = 12000, 4000, 4000, 300, 64, 300


def prompts(machine, gateway, model, *amount):
    done = subprocess.run([machine.program("bench_load"), "--url", gateway.url(model), "--model", model, "--header", f"Authorization: Bearer {API_KEY}",
                           *(str(argument) for argument in amount)], check=False, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"{model}: {done.stdout}{done.stderr}")
    say(f"{model}: served")


def single_calls(gateway, data_port):
    """The calls that no load generator makes, each often enough to count."""
    base = f"http://127.0.0.1:{gateway.port}"
    key = {"Authorization": f"Bearer {API_KEY}"}
    for _ in range(SINGLE):
        prompt = json.dumps({"prompt": "Write one sentence about rain.", "model": "bench"}).encode()
        fetch(base + "/api/v1/prompts", prompt, key)
        fetch(base + "/v1/models", None, key)
        fetch(base + "/api/v1/models", None, key)
        fetch(base + "/metrics")
        fetch(base + "/v1/chat/completions", b'{"model":"bench","messages":[{"role":"user","content":7}]}', key)
        fetch(base + "/v1/chat/completions", b"{}", {"Authorization": "Bearer wrong"})
        fetch(f"http://127.0.0.1:{data_port}/api/v1/models")


def main():
    root, build_dir = sys.argv[1:3]
    machine = Machine(root, build_dir)
    # Only these: the counts of libraries that are as large in all their parts would go into one file.
    machine.plugins = machine.path("plugins")
    os.mkdir(machine.plugins)
    for name in ("groq.so", "mock.so"):
        shutil.copy(os.path.join(build_dir, "plugins", name), machine.plugins)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        say("recording")
        plain, secure = machine.start_provider(), machine.start_provider(tls=True)
        gateway, data_port = machine.start_gateway()
        measure.add_models(gateway, data_port, plain, secure)
        for model, requests in (("bench", WHOLE), ("bench-tls", TLS), ("mock-bench", MOCK)):
            prompts(machine, gateway, model, "--connections", 64, "--requests", requests)
        text = "[........]" + "".join(f"token {number:03d} " for number in range(1, DELTAS))
        script = {"match": {"model": "bench-stream"}, "repeat_last": True, "steps": [{"chunks": DELTAS, "text": text, "chunk_delay_ms": 2}]}
        fetch(f"http://127.0.0.1:{plain}/__control/script", json.dumps(script).encode())
        prompts(machine, gateway, "bench-stream", "--stream", "--connections", STREAMS, "--deltas", DELTAS)
        single_calls(gateway, data_port)
    except BenchError as error:
        raise SystemExit(f"train: {error}") from None
    finally:
        machine.stop()
    # The plugins' own part, each plugin by its transcripts.
    for name in sorted(os.listdir(os.path.join(build_dir, "plugins"))):
        if name.endswith(".so") and name != "mock.so":
            subprocess.run([os.path.join(build_dir, "bin", "dialect_bench"), "0.05", name[:-3]], check=True, stdout=subprocess.DEVNULL)


main()
