"""The processes that are measured: a private PostgreSQL, the data API, the business API, the fake provider. Everything that was started is
stopped again, and the database is deleted."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from generated_rows import psql

ROOT = pathlib.Path(__file__).resolve().parents[3]
KEY = "scaling-api-key"
# Nothing of the caller's own surroundings may lead the programs elsewhere.
FOREIGN = {"DATABASE_URL", "POSTGRES_HOST", "DATA_API_TOKEN", "MASTER_KEY", "DATA_API_URL", "SECRET_HOSTS", "PLUGIN_PATH", "HTTP_PROXY",
           "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"}


def free_port():
    """A port that nobody listens on, outside the range from which the kernel takes ports for outgoing connections."""
    for port in range(10000 + os.getpid() % 7000, 30000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in free_port.taken:
                free_port.taken.add(port)
                return port
    raise RuntimeError("no free port")


free_port.taken = set()


def status_kib(pid, name):
    """VmRSS, VmHWM or RssAnon of a process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise RuntimeError(f"{name} of {pid} is not known")


def cpu_seconds(pid):
    """User and system time of all threads so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come within {seconds} s")
        time.sleep(0.002)


class Client:
    """One kept connection; answers as (status, headers, body)."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method, path, body=None, headers=None):
        sent = {"X-API-Key": KEY, "Content-Type": "application/json"} | (headers or {})
        self.connection.request(method, path, body=body, headers=sent)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def get(self, path, headers=None):
        status, _, body = self.call("GET", path, headers=headers)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {body[:200]!r}")
        return body

    def post(self, path, value):
        status, _, body = self.call("POST", path, json.dumps(value))
        if status not in (200, 201):
            raise RuntimeError(f"POST {path}: {status} {body[:300]!r}")
        return json.loads(body)


def answers_200(port, path="/ready"):
    try:
        return Client(port).call("GET", path)[0] == 200
    except OSError:
        return False


class Stack:
    """Owns a work folder and all processes in it."""

    def __init__(self, build, work=None):
        self.build = pathlib.Path(build)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="aim-scaling.", dir=work or "/var/tmp"))
        self.work.chmod(0o755)  # the database runs as another user under root
        self.running = []
        self.data_port = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            self.stop(process)
        subprocess.run([ROOT / "tools/postgres.sh", "destroy", self.work / "pg"], check=False)
        subprocess.run(["rm", "-rf", "--", self.work], check=False)

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.running:
            self.running.remove(process)

    def start(self, name, arguments=(), **variables):
        environment = {k: v for k, v in os.environ.items() if k not in FOREIGN and not k.endswith("_API_KEY")}
        environment |= {k: str(v) for k, v in variables.items()}
        with open(self.work / f"{name}.{len(self.running)}.log", "wb") as log:
            process = subprocess.Popen([self.build / "bin" / name, *map(str, arguments)], env=environment, stdout=log, stderr=log,
                                       cwd=self.work)
        self.running.append(process)
        return process

    def database(self):
        """Starts PostgreSQL with counting of buffers; returns the URL."""
        subprocess.run([ROOT / "tools/postgres.sh", "start", "--throwaway", self.work / "pg"], check=True, stdout=subprocess.DEVNULL)
        url = subprocess.run([ROOT / "tools/postgres.sh", "url", self.work / "pg"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout.strip()
        psql(url, "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        psql(url, "ALTER SYSTEM SET max_wal_size = '4GB'")
        subprocess.run([ROOT / "tools/postgres.sh", "stop", self.work / "pg"], check=True)
        subprocess.run([ROOT / "tools/postgres.sh", "start", "--throwaway", self.work / "pg"], check=True, stdout=subprocess.DEVNULL)
        psql(url, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        return url

    def data_api(self, url):
        self.data_port = free_port()
        process = self.start("aimanager-data-api", DATABASE_URL=url, DATA_API_PORT=self.data_port, DATA_API_SEED="false",
                             AIM_SQL_DIR=ROOT / "sql", HISTORY_TEXT_MAX=262144)
        until(lambda: answers_200(self.data_port), 120, "the data API")
        return process

    def business_api(self, state, plugins, wait=True, **more):
        """Returns the process and its port."""
        port = free_port()
        (self.work / state / "plugins").mkdir(parents=True, exist_ok=True)
        process = self.start("aimanager-business-api", BUSINESS_API_PORT=port, DATA_API_URL=f"http://127.0.0.1:{self.data_port}",
                             AIM_STATE_DIR=self.work / state, PLUGIN_PATH=plugins, API_KEY=KEY, RATE_LIMIT_PER_MINUTE=100000000,
                             GROQ_API_KEY="scaling-key", SCALE_API_KEY="scaling-key", **more)
        if wait:
            until(lambda: answers_200(port), 120, "the business API")
        return process, port


def milliseconds(call, least=20, seconds=1.0):
    """The least of repeated calls: what is more is other processes' doing."""
    shortest, calls = float("inf"), 0
    end = time.monotonic() + seconds
    while calls < least or time.monotonic() < end:
        begin = time.perf_counter()
        call()
        shortest, calls = min(shortest, (time.perf_counter() - begin) * 1000), calls + 1
    return shortest
