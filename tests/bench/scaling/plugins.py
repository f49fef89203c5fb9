"""One to a hundred plugins: copies of one real plugin, each with an id of its own."""
import json
import pathlib
import time

from stack import Client, cpu_seconds, status_kib, until

ID = b"scale000"


def copy_plugin(source, folder, number):
    data = pathlib.Path(source).read_bytes()
    if data.count(ID) == 0:
        raise RuntimeError(f"{source} does not have the id {ID.decode()}")
    file = pathlib.Path(folder) / f"scale{number:03}.so"
    moved = file.with_suffix(".part")
    moved.write_bytes(data.replace(ID, b"scale%03d" % number))
    moved.chmod(0o644)
    moved.rename(file)


def loaded(port):
    try:
        return len(json.loads(Client(port).get("/api/v1/plugins"))["loaded"])
    except (OSError, RuntimeError):
        return 0


def measure(stack, source, count):
    folder = stack.work / f"plugins.{count}"
    folder.mkdir(mode=0o755)
    for number in range(1, count + 1):
        copy_plugin(source, folder, number)
    result = {}
    for name in ("first start, ms", "later start, ms"):
        begin = time.perf_counter()
        process, port = stack.business_api(f"state.plugins.{count}", folder, wait=False)
        until(lambda: loaded(port) == count, 300, f"{count} plugins")
        result[name] = (time.perf_counter() - begin) * 1000
        if name.startswith("first"):
            stack.stop(process)
    time.sleep(1)
    result["RSS, MiB"] = status_kib(process.pid, "VmRSS") / 1024
    result["of it private, MiB"] = status_kib(process.pid, "RssAnon") / 1024
    client = Client(port)
    times = []
    for _ in range(10):
        begin = time.perf_counter()
        client.post("/api/v1/plugins/rescan", {})
        times.append((time.perf_counter() - begin) * 1000)
    result["rescan, ms"] = sorted(times)[len(times) // 2]
    begin = time.perf_counter()
    copy_plugin(source, folder, count + 1)
    until(lambda: loaded(port) == count + 1, 60, "one more plugin")
    result["one more serves after, ms"] = (time.perf_counter() - begin) * 1000
    before = cpu_seconds(process.pid)
    time.sleep(5)
    result["CPU at rest, ms a second"] = (cpu_seconds(process.pid) - before) * 1000 / 5
    stack.stop(process)
    return result
