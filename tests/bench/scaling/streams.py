"""One to ten thousand open streams through the gateway. A provider's connections have a bound for each origin, so that many streams go to
several origins: one fake provider under several loopback addresses, with a model and a load generator for each."""
import json
import pathlib
import resource
import subprocess
import time

from generated_rows import psql
from stack import KEY, Client, cpu_seconds, status_kib, until

DELTAS, DELTA_MS, AN_ORIGIN = 12, 2500, 500
# The caller's nonce comes back in the place of the dots, and each delta says which one it is.
TEXT = "[........]" + "".join(f"token {number:03d} " for number in range(1, DELTAS))


def most_streams():
    """A stream needs two descriptors of the gateway; some are left for everything else."""
    return (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200) // 2


def prepare(stack, url, streams):
    """A fake provider, models for it and a gateway that knows them."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    port_file = stack.work / "provider.port"
    stack.start("fake_provider", ["--host", "0.0.0.0", "--port-file", port_file])
    until(lambda: port_file.exists() and port_file.read_text(encoding="utf-8").strip(), 20, "the fake provider")
    provider = int(port_file.read_text(encoding="utf-8"))
    Client(provider).post("/__control/script", {
        "match": {"model": "bench-stream"}, "repeat_last": True,
        "steps": [{"chunks": DELTAS, "text": TEXT, "chunk_delay_ms": DELTA_MS}]})
    origins = -(-streams // AN_ORIGIN)
    psql(url, "DELETE FROM ai_models;" + "".join(
        f"INSERT INTO ai_models (name, provider, endpoint, upstream_model) VALUES ('stream-{n}', 'groq',"
        f" 'http://127.0.0.{n + 1}:{provider}/openai/v1', 'bench-stream');" for n in range(origins)))
    return origins


def load(stack, port, model, streams):
    return subprocess.Popen(
        [stack.build / "bin" / "bench_load", "--url", f"http://127.0.0.1:{port}/v1/chat/completions", "--model", model, "--header",
         f"Authorization: Bearer {KEY}", "--stream", "--connections", str(streams), "--deltas", str(DELTAS), "--stall-ms",
         str(DELTA_MS + 1000)], stdout=subprocess.PIPE, text=True)


def measure(stack, origins, plugins, streams):
    process, port = stack.business_api(f"state.streams.{streams}", plugins, MAX_IN_FLIGHT=2 * streams + 10)
    until(lambda: Client(port).get("/api/v1/models").count(b'"state":"available"') == origins, 60, "the catalogue")
    time.sleep(1)
    before, cpu = status_kib(process.pid, "VmRSS"), cpu_seconds(process.pid)
    loads, left, origin = [], streams, 0
    while left > 0:
        loads.append(load(stack, port, f"stream-{origin}", min(left, AN_ORIGIN)))
        left, origin = left - AN_ORIGIN, origin + 1
    highest, descriptors = before, 0
    while any(one.poll() is None for one in loads):
        highest = max(highest, status_kib(process.pid, "VmRSS"))
        descriptors = max(descriptors, len(list(pathlib.Path(f"/proc/{process.pid}/fd").iterdir())))
        time.sleep(0.2)
    reports = [json.loads(one.stdout.read().splitlines()[-1]) for one in loads]
    total = {name: sum(report[name] for report in reports) for name in ("complete", "lost", "incomplete", "stalled")}
    if total["complete"] == 0:
        raise RuntimeError(f"not one of {streams} streams is what the load generator waits for: {reports[0]}")
    time.sleep(3)
    result = {**total, "descriptors": descriptors,
              "RSS before, MiB": before / 1024, "RSS at most, MiB": highest / 1024,
              "KiB a stream": (highest - before) / streams, "RSS after, MiB": status_kib(process.pid, "VmRSS") / 1024,
              "CPU, µs a delta": (cpu_seconds(process.pid) - cpu) * 1e6 / (streams * DELTAS)}
    stack.stop(process)
    return result
