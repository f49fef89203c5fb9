"""The measurements, each into figures. Runs of nginx and gateway alternate, and a ratio is one of two runs that followed each other."""
import concurrent.futures
import contextlib
import datetime
import json
import os
import re
import shlex
import statistics
import subprocess
import threading
import time
import uuid

from figures import ratio, rounded
from processes import API_KEY, BenchError, cpu_us, fetch, on_core, ready, rss_kib, say, wait_until

CONNECTIONS = 64
STREAMS = 1000
DELTAS = 64
DELTA_MS = 20
MODELS = 100

# What a feature costs is what switching it off saves. Where the product has no switch, the figure is missing and the reason stands here.
SWITCHES = [
    ("authentication", {"BENCH_WITHOUT": "authentication"}, "bare_business_api without it"),
    ("rate limit", {"RATE_LIMIT_PER_MINUTE": "0"}, "RATE_LIMIT_PER_MINUTE=0"),
    ("ledger (outcome and history)", {"BENCH_WITHOUT": "ledger"}, "bare_business_api without it: not recorded, not journalled, not delivered"),
    ("journal to the disk each second", {"LEDGER_FSYNC": "off"}, "LEDGER_FSYNC=off; the journal is still written"),
    ("metrics", {"BENCH_WITHOUT": "metrics"}, "bare_business_api without what is counted for each request"),
    ("log line a request", {"LOG_LEVEL": "ERROR"}, "LOG_LEVEL=ERROR"),
    ("all of these", {"BENCH_WITHOUT": "authentication ledger metrics", "RATE_LIMIT_PER_MINUTE": "0", "LOG_LEVEL": "ERROR"}, "together"),
]


class Measurement:
    def __init__(self, machine, figures, targets, provider_port, rounds, seconds, rate):
        self.machine = machine
        self.figures = figures
        self.targets = targets  # nginx first
        self.provider_port = provider_port
        self.rounds = rounds
        self.seconds = seconds
        self.rate = rate
        self.settle_seconds = 2 if seconds < 2 else 20
        self.left_behind = 0
        self.errors = {}
        self.curves = {}
        self.toll = []
        self.peers = []

    # --- one run of the load generator

    def load(self, target, model, *arguments):
        """Its line of JSON. `target` None is the provider itself."""
        name = "direct" if target is None else target.name
        url = f"http://127.0.0.1:{self.provider_port}/openai/v1/chat/completions" if target is None else target.url(model)
        done = subprocess.run([*on_core(1), self.machine.program("bench_load"), "--url", url, "--model", model, "--header",
                               f"Authorization: Bearer {API_KEY}", *(str(argument) for argument in arguments)],
                              stdout=subprocess.PIPE, check=False)
        try:
            line = json.loads(done.stdout)
        except ValueError:
            raise BenchError(f"bench_load said nothing about {name} (exit code {done.returncode})") from None
        counted = self.errors.setdefault(name, {"errors": 0, "wrong_nonces": 0})
        counted["errors"] += line.get("errors", 0) + line.get("unanswered", 0)
        counted["wrong_nonces"] += line["wrong_nonces"]
        if done.returncode:
            say(f"{name} with {model}: not every answer was good: {done.stdout.decode().strip()[:600]}")
        return line

    def requests(self, target, model, seconds=None, connections=CONNECTIONS, *further):
        seconds = seconds or self.seconds
        return self.load(target, model, "--connections", connections, "--seconds", seconds, "--warm-up", min(0.5, seconds * 0.3), *further)

    def cpu_run(self, target, model, seconds=None):
        """(CPU microseconds a request, requests a second)."""
        pids = target.pids()
        before = cpu_us(pids)
        line = self.requests(target, model, seconds)
        # The records of these answers are part of their cost, and must not disturb the next run.
        self.left_behind = max(self.left_behind, records_left(target, self.settle_seconds))
        used = cpu_us(pids) - before
        if not line["all_requests"]:
            raise BenchError(f"{target.name} with {model} answered nothing: {line}")
        return used / line["all_requests"], line["requests_per_second"]

    def alternating(self, targets):
        """(round, target) so that what drifts hits all alike: every other round goes backwards."""
        for number in range(self.rounds):
            for target in targets if number % 2 == 0 else targets[::-1]:
                yield number, target

    def keep_pairs(self, name, per_target):
        """The ratio of each pair; nothing without a gateway."""
        if "gateway" in per_target:
            self.figures.keep_rounds(name, [ratio(ours, theirs) for ours, theirs in zip(per_target["gateway"], per_target["nginx"])])

    # --- the parts

    def cpu(self):
        for model, name, suffix in (("bench", "plain", ""), ("bench-tls", "tls", "_tls")):
            cpu = {target.name: [] for target in self.targets}
            rate = {target.name: [] for target in self.targets}
            for _, target in self.alternating(self.targets):
                used, answered = self.cpu_run(target, model)
                cpu[target.name].append(used)
                rate[target.name].append(answered)
            for who in cpu:
                self.figures.keep_rounds(f"{who}_cpu_us_per_request_{name}", cpu[who])
                self.figures.keep_rounds(f"{who}_requests_per_second_{name}", rate[who])
            self.keep_pairs(f"cpu_ratio_to_nginx{suffix}", cpu)
            self.keep_pairs(f"throughput_ratio_to_nginx{suffix}", rate)
        if len(self.targets) > 1:
            self.figures.keep("gateway_records_left", self.left_behind)

    def latency(self):
        """One connection, one request after the other."""
        found = {who: {"p50": [], "p99": []} for who in ("direct", *(target.name for target in self.targets))}
        for _, target in self.alternating([None, *self.targets]):
            line = self.requests(target, "bench", connections=1)
            for name, values in found["direct" if target is None else target.name].items():
                values.append(line[name + "_us"])
        for name in ("p50", "p99"):
            added = {}
            for who, percentiles in found.items():
                self.figures.keep_rounds(f"{who}_latency_{name}_us", percentiles[name])
                if who != "direct":
                    added[who] = [ours - bare for ours, bare in zip(percentiles[name], found["direct"][name])]
                    self.figures.keep_rounds(f"{who}_added_latency_{name}_us", added[who])
            self.keep_pairs(f"added_latency_{name}_ratio_to_nginx", added)

    def open_latency(self):
        """A constant rate of arrivals, the same for all; each latency counts from when the request was meant to be sent."""
        found = {who: [] for who in ("direct", *(target.name for target in self.targets))}
        for _, target in self.alternating([None, *self.targets]):
            found["direct" if target is None else target.name].append(
                self.requests(target, "bench", None, CONNECTIONS, "--rate", self.rate))
        for name in ("p50", "p90", "p99", "p999"):
            values = {who: [line[name + "_us"] for line in lines] for who, lines in found.items()}
            for who in values:
                self.figures.keep_rounds(f"{who}_open_latency_{name}_us", values[who])
            self.keep_pairs(f"open_latency_{name}_ratio_to_nginx", values)
        for who, lines in found.items():
            self.figures.keep(f"{who}_open_unanswered", sum(line["unanswered"] for line in lines))
            self.curves[who] = [[points[0][0], rounded(statistics.median(point[1] for point in points))]
                                for points in zip(*(line["curve"] for line in lines))]

    def streams(self):
        text = "[........]" + "".join(f"token {number:03d} " for number in range(1, DELTAS))
        script = {"match": {"model": "bench-stream"}, "repeat_last": True,
                  "steps": [{"chunks": DELTAS, "text": text, "chunk_delay_ms": DELTA_MS}]}
        status, _, body = fetch(f"http://127.0.0.1:{self.provider_port}/__control/script", json.dumps(script).encode())
        if status != 200:
            raise BenchError(f"the fake provider takes no script: {body!r}")
        # Memory is looked at in the first round only: what a process keeps from it would make the next ones look free.
        rounds = max(1, self.rounds // 2)
        cpu, lines, memory = {}, {}, {}
        for number in range(rounds):
            for target in [None, *self.targets][::1 if number % 2 == 0 else -1]:
                pids = [] if target is None else target.pids()
                before, resident = cpu_us(pids), rss_kib(pids)
                with HighestMemory(pids) as highest:
                    line = self.load(target, "bench-stream", "--stream", "--connections", STREAMS, "--deltas", DELTAS, "--pace-ms", DELTA_MS)
                lines.setdefault("direct" if target is None else target.name, []).append(line)
                if target is not None:
                    cpu.setdefault(target.name, []).append((cpu_us(pids) - before) / (STREAMS * DELTAS))
                    memory.setdefault(target.name, (highest.kib - resident) / STREAMS)
        for who in cpu:
            self.figures.keep_rounds(f"{who}_stream_cpu_us_per_delta", cpu[who])
            self.figures.keep(f"{who}_stream_kib_each", memory[who])
        for who, of in lines.items():
            self.figures.keep(f"{who}_streams_complete", min(line["complete"] for line in of))
            for figure, field in (("streams_lost", "lost"), ("streams_incomplete", "incomplete"), ("streams_stalled", "stalled"),
                                  ("deltas_lost", "lost_deltas"), ("deltas_late", "late_deltas"), ("deltas_stalled", "stalled_deltas")):
                self.figures.keep(f"{who}_{figure}", sum(line[field] for line in of))
            self.figures.keep(f"{who}_stream_longest_gap_ms", max(line["longest_stall_ms"] for line in of))
            self.figures.keep_rounds(f"{who}_stream_behind_p99_ms", [line["behind_p99_ms"] for line in of])
        self.keep_pairs("stream_cpu_ratio_to_nginx", cpu)

    def memory(self, when):
        for target in self.targets:
            self.figures.keep(f"{target.name}_rss_{when}_mib", rss_kib(target.pids()) / 1024)

    def start(self, data_port):
        """A second business API beside the first, with the models in the data API and no catalogue on disk."""
        times = []
        for _ in range(self.rounds):
            begin = time.monotonic()
            target, process, end = self.machine.start_business_api("second", data_port, everywhere=True)
            while not ready(target.port):
                if process.poll() is not None or time.monotonic() - begin > 20:
                    raise BenchError("a second business API is not ready: " + last_lines(self.machine.path("second.log")))
                time.sleep(0.001)
            times.append((time.monotonic() - begin) * 1000)
            end()
        self.figures.keep_rounds("start_to_ready_ms", times)

    def ledger(self, data_port, batches=40, records=500):
        """Outcomes by the fives of hundred, eight clients at once."""
        url = f"http://127.0.0.1:{data_port}/api/v1"
        _, _, body = fetch(url + "/models/best")
        try:
            model = json.loads(body)["id"]
        except (ValueError, KeyError, TypeError):
            raise BenchError("the data API names no best model") from None
        now = datetime.datetime.now(datetime.timezone.utc)
        high = int(now.timestamp() * 1000)

        def outcome(number):
            name = str(uuid.UUID(int=high << 80 | 7 << 76 | 8 << 60 | number))
            return {"id": name, "request_id": name, "model_id": model, "provider": "groq", "outcome": "success", "counts": True,
                    "response_time_ms": 12, "first_content_ms": None, "prompt_tokens": 8, "completion_tokens": 6, "cost": None,
                    "source": "prompt", "occurred_at": now.strftime("%Y-%m-%dT%H:%M:%S.000Z")}

        bodies = [json.dumps({"history": [], "outcomes": [outcome(batch * records + record + 1) for record in range(records)]}).encode()
                  for batch in range(batches)]
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda body: fetch(url + "/ledger", body)[2], bodies))
        self.figures.keep("ledger_outcomes_per_second", batches * records / (time.monotonic() - begin))
        applied = 0
        for answer in answers:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                applied += json.loads(answer)["applied"]
        self.figures.keep("ledger_lost", batches * records - applied)

    def features(self, data_port):
        """What each feature costs a request, by switching it off in a business API of its own beside one that has them all."""
        seconds = min(self.seconds, 3)
        variants = [("all", {})] + [(name, settings) for name, settings, _ in SWITCHES]
        targets, ends = [], []
        for number, (_, settings) in enumerate(variants):
            target, process, end = self.machine.start_business_api(f"variant-{number}", data_port, "bare_business_api", **settings)
            ends.append(end)
            targets.append(target)
            wait_until(20, lambda: ready(target.port) or process.poll() is not None)
            if not ready(target.port) or not wait_until(20, lambda: answers(target, "bench")):
                raise BenchError(f"a business API with {settings} does not answer: " + last_lines(self.machine.path(target.name + ".log")))
        cpu = {target.name: [] for target in targets}
        for _, target in self.alternating(targets):
            cpu[target.name].append(self.cpu_run(target, "bench", seconds)[0])
        for target, (feature, _, how) in zip(targets[1:], SWITCHES):
            self.keep_toll(feature, [all_on - off for all_on, off in zip(cpu[targets[0].name], cpu[target.name])], how)
        # The mock plugin answers without a provider; the rest is reading a request, choosing, writing an answer and the ledger.
        whole, alone = [], []
        for number in range(self.rounds):
            for model, kept in (("bench", whole), ("mock-bench", alone))[::1 if number % 2 == 0 else -1]:
                kept.append(self.cpu_run(targets[0], model, seconds)[0])
        self.keep_toll("exchange with the provider", [full - mock for full, mock in zip(whole, alone)],
                       "plugin groq and its client, against a model of the plugin mock")
        for end in ends:
            end()

    def plugin(self):
        """The plugin's own part of an exchange, through the C interface, without a network."""
        if not os.access(self.machine.program("dialect_bench"), os.X_OK):
            return
        times = []
        for _ in range(min(self.rounds, 3)):
            done = subprocess.run([*on_core(0), self.machine.program("dialect_bench"), "0.1"], stdout=subprocess.PIPE, check=False, text=True)
            times += [float(value) for value in re.findall(r"^groq +([0-9.]+) us an exchange.*\)$", done.stdout, re.MULTILINE)]
        if times:
            self.keep_toll("plugin groq alone", times, "dialect_bench: request written, 2 KiB answer read, through the C interface")

    def keep_toll(self, feature, values, how):
        self.toll.append({"feature": feature, "us": rounded(statistics.median(values)), "low": rounded(min(values)),
                          "high": rounded(max(values)), "how": how})

    def beside(self, commands):
        """Other gateways: the same upstream, the same load, each beside a run of nginx."""
        nginx = self.targets[0]
        for command in shlex.split(commands):
            peer, end = self.machine.start_peer(command, self.provider_port)
            if not wait_until(10, lambda: answers(peer, "bench")):
                raise BenchError(f"PEERS: {command} does not answer: " + last_lines(self.machine.path(peer.name + ".log")))
            cpu, ratios, rates, tails = [], [], [], []
            for _ in range(self.rounds):
                used, rate = self.cpu_run(peer, "bench")
                cpu.append(used)
                rates.append(rate)
                ratios.append(used / self.cpu_run(nginx, "bench")[0])
                tails.append(self.requests(peer, "bench", None, CONNECTIONS, "--rate", self.rate)["p99_us"])
            self.peers.append({"name": peer.name, "requests_per_second": rounded(statistics.median(rates)),
                               "open_latency_p99_us": rounded(statistics.median(tails)), "errors": self.errors[peer.name]["errors"],
                               **{key: [rounded(value) for value in (statistics.median(values), min(values), max(values))]
                                  for key, values in (("cpu_us_per_request", cpu), ("cpu_ratio_to_nginx", ratios))}})
            end()

    def wrong(self):
        """Over all parts."""
        for who in ("direct", *(target.name for target in self.targets)):
            counted = self.errors.get(who, {"errors": 0, "wrong_nonces": 0})
            self.figures.keep(f"{who}_load_errors", counted["errors"])
            self.figures.keep(f"{who}_wrong_nonces", counted["wrong_nonces"])


class HighestMemory:
    """The highest memory use of the processes while it is entered."""

    def __init__(self, pids):
        self.kib = rss_kib(pids)
        self._pids = pids
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self._over.wait(0.1):
            self.kib = max(self.kib, rss_kib(self._pids))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def records_left(target, seconds):
    """Waits until the ledger has delivered what the answers made, and returns what is left when the time is over."""
    left = 0

    def delivered():
        nonlocal left
        _, _, body = fetch(f"http://127.0.0.1:{target.port}/metrics", headers={"Authorization": f"Bearer {API_KEY}"})
        found = re.search(rb"^aimanager_ledger_queue_records ([0-9]+)", body, re.MULTILINE)
        if not found:
            raise BenchError(f"{target.name} does not say how many records wait: {body[:200]!r}")
        left = int(found[1])
        return left == 0

    if target.business_api:
        wait_until(seconds, delivered, 0.05)
    return left


def last_lines(path):
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-5:])
    return ""


def ask(target, model):
    """(status, headers, body) of one prompt to this very model."""
    prompt = {"model": model, "messages": [{"role": "user", "content": "nonce [01abcdef] Hello"}]}
    if target.business_api:
        prompt["fallback"] = False
    return fetch(target.url(model), json.dumps(prompt).encode(), {"Authorization": f"Bearer {API_KEY}"})


def answers(target, model):
    status, _, body = ask(target, model)
    return status == 200 and b"01abcdef" in body


def add_models(gateway, data_port, provider_port, provider_tls_port):
    plain, secure = f"http://127.0.0.1:{provider_port}/openai/v1", f"https://localhost:{provider_tls_port}/openai/v1"
    rows = [("bench", "groq", plain), ("bench-stream", "groq", plain), ("bench-tls", "groq", secure), ("mock-bench", "mock", "mock://bench")]
    rows += [(f"filler-{number}", "groq", plain) for number in range(len(rows) + 1, MODELS + 1)]
    for name, provider, endpoint in rows:
        status, _, body = fetch(f"http://127.0.0.1:{data_port}/api/v1/models",
                                json.dumps({"name": name, "provider": provider, "endpoint": endpoint}).encode())
        if status not in (200, 201):
            raise BenchError(f"the model {name} could not be added: {status} {body[:300]!r}")
    for name in ("bench", "bench-tls", "mock-bench"):
        if not wait_until(20, lambda: answers(gateway, name)):
            raise BenchError(f"the gateway does not answer with the model {name}: {ask(gateway, name)}")
