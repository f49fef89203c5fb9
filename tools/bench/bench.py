"""What tools/bench.sh does, after its help: arguments, build, run, table, files."""
import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import compare
import figures
import measure
import page
import processes

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PARTS = ("start", "cpu", "latency", "open", "streams", "ledger", "toll", "peers")
QUICK_PARTS = ("start", "cpu", "latency", "open", "streams", "ledger")
PROGRAMS = ("fake_provider", "make_test_certificate", "bench_load")


def read_arguments():
    parser = argparse.ArgumentParser(prog="tools/bench.sh", add_help=False, allow_abbrev=False)
    parser.error = lambda message: sys.exit(f"bench.sh: {message} (see --help)")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--build-dir", type=os.path.abspath)
    parser.add_argument("--no-gateway", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--only", type=lambda text: [part for part in text.split(",") if part])
    parser.add_argument("--compare", metavar="FILE")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--write-baseline", action="store_true")
    parser.add_argument("--from", dest="earlier", metavar="FILE")
    options = parser.parse_args()
    options.rounds = options.rounds if options.rounds is not None else 3 if options.quick else 5
    options.seconds = options.seconds if options.seconds is not None else 0.8 if options.quick else 6
    if options.rounds < 1 or not 0 < options.seconds <= 3600 or not 0 < options.rate <= 1e6:
        parser.error("--rounds, --seconds and --rate are numbers above 0")
    if options.only is None:
        options.only = QUICK_PARTS if options.quick else PARTS
    for part in options.only:
        if part not in PARTS:
            parser.error(f"--only does not know {part}: {','.join(PARTS)}")
    if options.strict and not options.compare:
        parser.error("--strict needs --compare")
    return options


def build(build_dir, gateway, parts):
    """The preset `bench`; a folder that was given is taken as it is."""
    for_toll = ["bare_business_api"] if gateway and "toll" in parts else []
    if build_dir is None:
        build_dir = os.path.join(ROOT, "build", "bench")
        targets = [*PROGRAMS, *(["services/all", "plugins/all", "dialect_bench"] if gateway else []), *for_toll]
        script = 'AIM_PROGRAM=bench.sh; . "$0/tools/lib.sh"; aim_build bench "$@"'
        if subprocess.run(["bash", "-euo", "pipefail", "-c", script, ROOT, build_dir, *targets], check=False).returncode:
            raise processes.BenchError("the build failed")
    wanted = [*PROGRAMS, *(["aimanager-business-api", "aimanager-data-api"] if gateway else []), *for_toll]
    missing = [name for name in wanted if not os.access(os.path.join(build_dir, "bin", name), os.X_OK)]
    if missing:
        raise processes.BenchError(f"{build_dir} lacks {', '.join(missing)}")
    return build_dir


def warn_when_busy():
    """Others on the machine make every figure worse, and not by the same."""
    load = os.getloadavg()[0]
    if load > len(processes.CORES) / 2:
        processes.say(f"the machine is busy (load {load:.1f} on {len(processes.CORES)} cores): ranges will be wide, and times mean little")
    return round(load, 2)


def run(options, build_dir):
    """The document of a run."""
    gateway_wanted = not options.no_gateway
    load_before = warn_when_busy()
    kept = figures.Figures()
    machine = processes.Machine(ROOT, build_dir)
    try:
        provider_port = machine.start_provider()
        provider_tls_port = machine.start_provider(tls=True)
        targets = [machine.start_nginx(provider_port, provider_tls_port)]
        data_port = 0
        if gateway_wanted:
            processes.say("starts the gateway")
            gateway, data_port = machine.start_gateway()
            measure.add_models(gateway, data_port, provider_port, provider_tls_port)
            targets.append(gateway)
        work = measure.Measurement(machine, kept, targets, provider_port, options.rounds, options.seconds, options.rate)
        work.memory("idle")
        parts = {
            "start": (gateway_wanted, "start time", lambda: work.start(data_port)),
            "cpu": (True, "CPU a request", work.cpu),
            "latency": (True, "latency of one connection", work.latency),
            "open": (True, f"latency at {options.rate:g} requests a second", work.open_latency),
            "streams": (True, f"{measure.STREAMS} streams at once", work.streams),
        }
        began = time.monotonic()
        for name, (possible, text, part) in parts.items():
            if possible and name in options.only:
                processes.say(f"{text} ({time.monotonic() - began:.0f} s)")
                part()
        work.memory("after_load")
        if gateway_wanted:
            # What comes back by itself in a quiet time.
            time.sleep(1 if options.quick else 10)
            work.memory("after_rest")
            for name, text, part in (("ledger", "ledger", lambda: work.ledger(data_port)), ("toll", "toll of features", lambda: work.features(data_port)),
                                     ("toll", "plugin alone", work.plugin)):
                if name in options.only:
                    processes.say(f"{text} ({time.monotonic() - began:.0f} s)")
                    part()
        if "peers" in options.only and os.environ.get("PEERS"):
            processes.say(f"others beside us ({time.monotonic() - began:.0f} s)")
            work.beside(os.environ["PEERS"])
        work.wrong()
    finally:
        machine.stop()
    about = {"cores": len(processes.CORES), "load_before": load_before, "rounds": options.rounds, "seconds_a_round": options.seconds,
             "quick": options.quick,
             "settings": {"connections": measure.CONNECTIONS, "streams": measure.STREAMS, "models": measure.MODELS,
                          "rate": f"{options.rate:g}"}}
    return figures.document(kept, about, {"curves": work.curves, "toll": work.toll, "peers": work.peers})


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main():
    options = read_arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(130))
    try:
        baseline = None
        if options.compare:  # before minutes are spent
            baseline = figures.read_json(options.compare)
            compare.check_baseline(baseline, options.compare)
        if options.earlier:
            results = figures.read_results(options.earlier)
        else:
            if not shutil.which("taskset"):
                raise processes.BenchError("taskset is not installed (apt-get install util-linux)")
            raise_file_limit()
            results = run(options, build(options.build_dir, not options.no_gateway, options.only))
            figures.write_json("bench-results.json", results)
        figures.print_table(results)
        page.write("bench-results.html", results)
        worse = compare.print_comparison(results, baseline, options.compare) if baseline else 0
        if options.write_baseline:
            if (results.get("load_before") or 0) > results["cores"] / 2:
                processes.say("a baseline of a busy machine: its ranges are wide, and hide what becomes worse")
            figures.write_json("bench-baseline.json", compare.baseline_of(results))
    except (processes.BenchError, ValueError) as error:
        sys.exit(f"bench.sh: {error}")
    return 1 if worse and options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
