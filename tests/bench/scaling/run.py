#!/usr/bin/env python3
"""Measures what grows with size and writes the tables of core/docs/scaling.md. Started by tools/scaling.sh."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import history  # noqa: E402
import models  # noqa: E402
import plugins  # noqa: E402
import streams  # noqa: E402
from generated_rows import psql  # noqa: E402
from stack import ROOT, Stack  # noqa: E402

PAGE = ROOT / "core/docs/scaling.md"
RESULTS = ROOT / "build/scaling-results.json"
PARTS = ("choice", "models", "plugins", "streams", "history", "retention", "ledger")
FIRST_COLUMN = {"choice": "models", "models": "models", "plugins": "plugins", "streams": "open streams", "history": "rows in each table",
                "retention": "rows in each table", "ledger": "LEDGER_FSYNC"}


def figure_text(value):
    if isinstance(value, (list, tuple)):
        return f"{figure_text(value[0])} / {value[1]:,}"
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 100:
        return f"{round(value):,}"
    return f"{value:.3g}"


def size_name(name):
    return f"{int(name):,}" if name.isdigit() else name


def table(part, sizes):
    """A line for each size; for history a line for each figure, since there are many."""
    names = sorted(sizes, key=lambda name: int(name) if name.isdigit() else 0)
    figures = list(dict.fromkeys(figure for size in names for figure in sizes[size]))
    across, down = (names, figures) if part == "history" else (figures, names)
    lines = [f"| {FIRST_COLUMN[part]} | " + " | ".join(map(size_name, across)) + " |", "| --- |" + " ---: |" * len(across)]
    for row in down:
        cells = [sizes[one].get(row) if part == "history" else sizes[row].get(one) for one in across]
        lines.append(f"| {size_name(row)} | " + " | ".join("–" if cell is None else figure_text(cell) for cell in cells) + " |")
    return "\n".join(lines)


def write_page(results):
    """Puts each part's table between its two marks in the page."""
    text = PAGE.read_text(encoding="utf-8")
    for part, sizes in results.items():
        begin, end = f"<!-- {part} -->\n", f"\n<!-- /{part} -->"
        if begin not in text:
            continue
        head, rest = text.split(begin, 1)
        text = head + begin + table(part, sizes) + end + rest.split(end, 1)[1]
    PAGE.write_text(text, encoding="utf-8")


def keep(results, part, size, figures):
    """At once, so that a part that fails later costs nothing."""
    print(f"{part} {size}: " + ", ".join(f"{name} {figure_text(value)}" for name, value in figures.items()), flush=True)
    results.setdefault(part, {})[str(size)] = figures
    RESULTS.write_text(json.dumps(results, indent=1), encoding="utf-8")


def run_choice(results, build, sizes):
    for line in subprocess.run([build / "bin/choice_bench", *map(str, sizes)], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        found = json.loads(line)
        keep(results, "choice", found["models"], {
            "a choice, ns": found["choice_ns"], "a choice after each outcome, ns": found["choice_and_outcome_ns"],
            "a choice, half of them resting, ns": found["choice_half_resting_ns"], "JSON read, µs": found["parse_us"],
            "table joined, µs": found["join_us"], "order made, µs": found["order_us"], "memory a model, bytes": found["bytes_a_model"]})


def run_ledger(results, build, work):
    """Of several runs the least, as the bench's figures are CPU times."""
    least = {}
    for _ in range(3):
        output = subprocess.run([build / "bin/ledger_bench", work, "20000"], check=True, stdout=subprocess.PIPE, text=True).stdout
        for line in output.splitlines():
            words = line.replace(",", " ").split()
            found = {"record made, µs a prompt": float(words[words.index("making") + 1]),
                     "appended, µs a prompt": float(words[words.index("appending") + 1]),
                     "read for delivery, µs a record": float(words[words.index("reading") + 1])}
            best = least.setdefault(words[0], found)
            least[words[0]] = {name: min(best[name], value) for name, value in found.items()}
    del least["memory"]  # no journal: nothing that a gateway does
    for policy, figures in least.items():
        keep(results, "ledger", policy, figures)


def ledger_rate(url, port, seconds=10):
    """Outcomes a second into PostgreSQL, eight senders, batches of 500."""
    from concurrent.futures import ProcessPoolExecutor  # a process each: the senders' own work must not be what is measured
    ids = psql(url, "SELECT id FROM ai_models").splitlines()
    with ProcessPoolExecutor(8) as pool:
        begin = time.monotonic()
        sent = sum(pool.map(send_outcomes, [(port, ids, begin + seconds)] * 8))
        return sent / (time.monotonic() - begin)


def send_outcomes(task):
    port, ids, end = task
    client, sent = history.Client(port), 0
    while time.monotonic() < end:
        history.post_batch(client, history.batch(ids, history=0, outcomes=500))
        sent += 500
    return sent


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--only", default=",".join(PARTS), help="some of " + ",".join(PARTS))
    parser.add_argument("--models", type=int, nargs="+", default=[10, 100, 1000, 10000])
    parser.add_argument("--plugins", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 100, 1000, 10000])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--page", action="store_true", help="write the tables of core/docs/scaling.md from the results that are there")
    arguments = parser.parse_args()
    arguments.only = arguments.only.split(",")
    if unknown := set(arguments.only) - set(PARTS):
        parser.error("--only does not know " + ", ".join(sorted(unknown)))
    return arguments


def measure(arguments, results):
    build = arguments.build_dir.resolve()
    with Stack(build) as stack:
        if "choice" in arguments.only:
            run_choice(results, build, arguments.models)
        if "ledger" in arguments.only:
            run_ledger(results, build, stack.work)
        if not {"models", "plugins", "streams", "history", "retention", "ledger"} & set(arguments.only):
            return
        url = stack.database()
        data_api = stack.data_api(url)
        psql(url, "INSERT INTO ai_models (name, provider, upstream_model) SELECT 'model-' || n, 'mock', 'm' FROM generate_series(1, 10) AS n")
        if "ledger" in arguments.only:
            rates = [ledger_rate(url, stack.data_port) for _ in range(3)]
            for policy in results["ledger"]:
                results["ledger"][policy]["outcomes a second into PostgreSQL"] = int(max(rates))
        if "plugins" in arguments.only:
            for count in arguments.plugins:
                keep(results, "plugins", count, plugins.measure(stack, build / "scaling/scaling_plugin.so", count))
        if "models" in arguments.only:
            for count in arguments.models:
                keep(results, "models", count, models.measure(stack, url, data_api, count, build / "plugins"))
        if "streams" in arguments.only:
            most = streams.most_streams()
            counts = sorted({min(count, most) for count in arguments.streams})
            if counts[-1] < max(arguments.streams):
                print(f"this machine allows {most} streams: two descriptors each, and the hard limit of open files", flush=True)
            origins = streams.prepare(stack, url, counts[-1])
            for count in counts:
                keep(results, "streams", count, streams.measure(stack, origins, build / "plugins", count))
        for rows in arguments.rows:
            if "history" in arguments.only:
                keep(results, "history", rows, history.measure(stack, url, rows))
            if "retention" in arguments.only:
                if "history" not in arguments.only:
                    history.fill(url, rows, history.DAYS, history.MODELS)
                keep(results, "retention", rows, history.retention(url))


def main():
    arguments = read_arguments()
    RESULTS.parent.mkdir(exist_ok=True)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    if not arguments.page:
        os.umask(0o022)  # a plugin file may not be writable by a group
        measure(arguments, results)
        RESULTS.write_text(json.dumps(results, indent=1), encoding="utf-8")
    write_page(results)


if __name__ == "__main__":
    main()
