"""What runs during a benchmark: the fake provider, nginx, the gateway and others beside it, and what the kernel says of them.

With two cores or more everything that is measured has the first, the provider and the load generator the second.
"""
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

API_KEY = "bench-api-key"
CORES = sorted(os.sched_getaffinity(0))
# What could make a gateway reach anything but the fake provider, or start it differently than measured.
FORGOTTEN = ("SECRET_HOSTS", "DATABASE_URL", "POSTGRES_HOST", "DATA_API_TOKEN", "MASTER_KEY", "DATA_API_URL", "HTTP_PROXY", "HTTPS_PROXY",
             "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "API_KEY", "BOT_API_KEY", "TELEGRAM_BOT_TOKEN", "PEERS")


class BenchError(Exception):
    """A sentence for the user; the run is over."""


def say(text):
    print(f"bench.sh: {text}", file=sys.stderr, flush=True)


def wait_until(seconds, condition, pause=0.01):
    """Polls; the condition's value, or None when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            return None
        time.sleep(pause)


def port_open(port):
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ready(port):
    """Whether /ready answers 200."""
    try:
        with contextlib.closing(socket.create_connection(("127.0.0.1", port), 2)) as link:
            link.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return link.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def stat_of(pid):
    """The fields of /proc/PID/stat from the third on (the name before them may hold anything)."""
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        return file.read().rsplit(") ", 1)[1].split()


def cpu_us(pids):
    """User and system time of the processes, with all their threads, so far."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = stat_of(pid)
            total += int(fields[11]) + int(fields[12])
    return total * 1_000_000 / os.sysconf("SC_CLK_TCK")


def rss_kib(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="latin-1") as file:
            total += next((int(line.split()[1]) for line in file if line.startswith("VmRSS:")), 0)
    return total


def session_of(leader):
    """The processes of a session, its leader among them."""
    pids = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if int(stat_of(name)[3]) == leader:
                    pids.append(int(name))
    return pids


def fetch(url, data=None, headers=()):
    """(status, headers, body); an answer of any status is an answer."""
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json", **dict(headers)})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except OSError as error:
        return 0, {}, str(error).encode()


def on_core(number):
    """A prefix, so that what is started is the very process that Popen knows."""
    return ["taskset", "-c", str(CORES[number])] if len(CORES) >= 2 else []


class Target:
    """Something that answers prompts, and the processes whose CPU that costs."""

    def __init__(self, name, port, pids, paths, business_api=False):
        self.name = name
        self.business_api = business_api  # of ours
        self.port = port
        self._pids = pids
        self._paths = paths

    def pids(self):
        return self._pids()

    def url(self, model):
        return f"http://127.0.0.1:{self.port}{self._paths.get(model, self._paths[''])}"


class Machine:
    """Starts them; `stop` ends them in reverse and removes the working folder."""

    def __init__(self, root, build_dir):
        self.root = root
        self.build_dir = build_dir
        self.plugins = os.path.join(build_dir, "plugins")
        # The database and nginx's worker run as other users under root.
        self.work = tempfile.mkdtemp(prefix="aim-bench.")
        os.chmod(self.work, 0o755)
        self._ends = []
        self._ports = set()

    def stop(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        while self._ends:
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                self._ends.pop()()
        shutil.rmtree(self.work, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.work, *names)

    def program(self, name):
        return os.path.join(self.build_dir, "bin", name)

    def free_port(self):
        """One that nobody listens on, outside the range from which the kernel takes ports for outgoing connections."""
        while True:
            port = random.randint(10000, 29999)
            if port not in self._ports and not port_open(port):
                self._ports.add(port)
                return port

    def _start(self, command, log, env=None, session=False):
        with open(log, "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, start_new_session=session)

        def end():
            if session:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        self._ends.append(end)
        return process, end

    # --- the provider and nginx

    def start_provider(self, tls=False):
        """Returns its port."""
        port_file = self.path("tls_port" if tls else "port")
        command = [*on_core(1), self.program("fake_provider"), "--port-file", port_file]
        if tls:
            subprocess.run([self.program("make_test_certificate"), self.path("tls")], check=True)
            command += ["--tls-cert", self.path("tls", "cert.pem"), "--tls-key", self.path("tls", "key.pem")]
        self._start(command, port_file + ".log")

        def port():
            with contextlib.suppress(OSError, ValueError), open(port_file, encoding="ascii") as file:
                return int(file.read())
            return None

        found = wait_until(10, port)
        if not found:
            raise BenchError("the fake provider does not start")
        return found

    def start_nginx(self, provider_port, provider_tls_port):
        nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not nginx:
            raise BenchError("nginx is not installed (apt-get install nginx-light)")
        os.mkdir(self.path("nginx"))
        port = self.free_port()
        with open(os.path.join(self.root, "deploy/nginx/bench.conf.template"), encoding="utf-8") as file:
            text = file.read()
        for name, value in {"PREFIX": self.path("nginx"), "PORT": port, "UPSTREAM_PORT": provider_port,
                            "UPSTREAM_TLS_PORT": provider_tls_port, "AUTHORITY": self.path("tls", "ca.pem")}.items():
            text = text.replace(f"@{name}@", str(value))
        with open(self.path("nginx", "nginx.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        started = subprocess.run([*on_core(0), nginx, "-p", self.path("nginx"), "-e", self.path("nginx", "error.log"),
                                  "-c", self.path("nginx", "nginx.conf")], check=False)
        if started.returncode:
            raise BenchError("nginx does not start")

        def master():
            with contextlib.suppress(OSError, ValueError), open(self.path("nginx", "nginx.pid"), encoding="ascii") as file:
                return int(file.read())
            return 0

        def worker():
            with contextlib.suppress(OSError), open(f"/proc/{master()}/task/{master()}/children", encoding="ascii") as file:
                return [int(pid) for pid in file.read().split()]
            return []

        def end():
            if master():
                pid = master()
                os.kill(pid, signal.SIGQUIT)
                wait_until(10, lambda: not os.path.exists(f"/proc/{pid}"))

        self._ends.append(end)
        if not wait_until(10, lambda: port_open(port) and worker()):
            raise BenchError("nginx does not listen")
        workers = worker()
        return Target("nginx", port, lambda: workers, {"": "/plain/v1/chat/completions", "bench-tls": "/secure/v1/chat/completions",
                                                       "bench-stream": "/stream/v1/chat/completions"})

    # --- the gateway

    def gateway_environment(self, **further):
        """Production settings, with limits set high."""
        env = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
        env.update(API_KEY=API_KEY, GROQ_API_KEY="bench-key", RATE_LIMIT_PER_MINUTE="100000000", SSL_CERT_FILE=self.path("tls", "ca.pem"),
                   LOG_LEVEL="INFO", PLUGIN_PATH=self.plugins)
        env.update(further)
        return env

    def start_gateway(self):
        """The whole of it, by tools/run.sh; returns the business API and the data API's port."""
        port, data_port = self.free_port(), self.free_port()
        log = self.path("run.log")
        env = self.gateway_environment(AIM_STATE_DIR=self.path("state"), BUSINESS_API_PORT=str(port), DATA_API_PORT=str(data_port))
        process, _ = self._start([*on_core(0), os.path.join(self.root, "tools/run.sh"), "--build-dir", self.build_dir, "--no-install",
                                  "--no-build"], log, env)

        def text():
            with open(log, encoding="utf-8", errors="replace") as file:
                return file.read()

        wait_until(120, lambda: "\nAI Manager is ready:" in "\n" + text() or process.poll() is not None)
        if "\nAI Manager is ready:" not in "\n" + text():
            raise BenchError("the gateway does not start: " + text()[-2000:])

        def pid_of(name):
            with open(self.path("state", "run", name + ".pid"), encoding="ascii") as file:
                return int(file.read().split()[0])

        # The data API takes what is free. Of the database's processes those that serve it have begun by now and lead sessions of their own:
        # they stay on the gateway's core, which is the harder case for it.
        for name in ("data-api", "postgres"):
            for pid in {pid_of(name), *session_of(pid_of(name))}:
                subprocess.run(["taskset", "-a", "-p", "-c", ",".join(map(str, CORES)), str(pid)], check=False, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        business = pid_of("business-api")
        return Target("gateway", port, lambda: [business], {"": "/v1/chat/completions"}, True), data_port

    def start_business_api(self, name, data_port, program="aimanager-business-api", everywhere=False, **settings):
        """A further one beside the first, on the same data API; returns it, its process and what ends it. It is not ready yet."""
        port = self.free_port()
        state = self.path(name)
        shutil.rmtree(state, ignore_errors=True)
        os.makedirs(os.path.join(state, "plugins"))
        env = self.gateway_environment(AIM_STATE_DIR=state, BUSINESS_API_PORT=str(port), DATA_API_URL=f"http://127.0.0.1:{data_port}", **settings)
        process, end = self._start([*([] if everywhere else on_core(0)), self.program(program)], self.path(name + ".log"), env)
        return Target(name, port, lambda: [process.pid], {"": "/v1/chat/completions"}, True), process, end

    def start_peer(self, command, provider_port):
        """Another gateway: `COMMAND UPSTREAM PORT` (see the README beside this file)."""
        port = self.free_port()
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        name = os.path.basename(command)
        log = self.path(name + ".log")
        try:
            process, end = self._start([*on_core(0), command, f"http://127.0.0.1:{provider_port}/openai/v1", str(port)], log, env, session=True)
        except OSError as error:
            raise BenchError(f"PEERS: {command} cannot be started: {error.strerror}") from None
        if not wait_until(30, lambda: port_open(port) or process.poll() is not None) or process.poll() is not None:
            with open(log, encoding="utf-8", errors="replace") as file:
                raise BenchError(f"PEERS: {command} does not listen on its port: {file.read()[-1000:]}")
        return Target(name, port, lambda: session_of(process.pid), {"": "/v1/chat/completions"}), end
