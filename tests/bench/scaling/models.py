"""Ten to ten thousand models: the catalogue's way from the data API into the business API, and what it leaves there."""
import time

from generated_rows import psql
from stack import Client, cpu_seconds, milliseconds, status_kib, until

ROWS = """
DELETE FROM ai_models;
INSERT INTO ai_models (name, provider, upstream_model, settings, context_window, capabilities)
SELECT 'model-' || n, 'groq', 'upstream-' || n, '{{"health_check": true}}', 131072, '{{stream,tools}}' FROM generate_series(1, {models}) AS n;
ANALYZE ai_models;
"""
TOUCH = "UPDATE ai_models SET last_check_at = now() WHERE name = 'model-1'"
TOUCHES = 8


def cpu_a_second(processes, touch):
    """CPU milliseconds of each process in a second, over some seconds with one touched row in each."""
    before = [cpu_seconds(process.pid) for process in processes]
    begin = time.monotonic()
    for number in range(TOUCHES):
        if touch:
            touch()
        time.sleep(max(0.0, begin + number + 1 - time.monotonic()))
    return [(cpu_seconds(process.pid) - old) * 1000 / TOUCHES for process, old in zip(processes, before)]


def start_ms(stack, name, plugins):
    """With the plugins probed by an earlier start, and no catalogue on disk."""
    (stack.work / name / "catalogue.json").unlink(missing_ok=True)
    begin = time.perf_counter()
    process, port = stack.business_api(name, plugins)
    return (time.perf_counter() - begin) * 1000, process, port


def measure(stack, url, data_api, models, plugins):
    psql(url, ROWS.format(models=models))
    client = Client(stack.data_port)
    _, headers, body = client.call("GET", "/models")
    tag = headers["ETag"]
    result = {"KiB of JSON": len(body) / 1024, "GET, ms": milliseconds(lambda: client.get("/models"), least=5),
              "GET unchanged, ms": milliseconds(lambda: client.call("GET", "/models", headers={"If-None-Match": tag}), least=10)}
    starts = []
    for number in range(6):
        took, process, port = start_ms(stack, "state.models", plugins)
        starts.append(took)
        if number < 5:
            stack.stop(process)
    until(lambda: Client(port).get("/api/v1/models").count(b'"state":"available"') == models, 60, "the catalogue")
    result["start to ready, ms"] = min(starts[1:])
    time.sleep(2)
    result["RSS, MiB"] = status_kib(process.pid, "VmRSS") / 1024
    quiet = cpu_a_second([process, data_api], None)
    busy = cpu_a_second([process, data_api], lambda: psql(url, TOUCH))
    result["CPU of the gateway, ms a refresh"] = max(0.0, busy[0] - quiet[0])
    result["CPU of the data API, ms a refresh"] = max(0.0, busy[1] - quiet[1])
    result["RSS after refreshes, MiB"] = status_kib(process.pid, "VmRSS") / 1024
    stack.stop(process)
    return result
