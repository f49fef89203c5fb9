#!/usr/bin/env python3
"""Holds deploy/grafana and deploy/prometheus against /metrics of running processes.

  check_metrics.py URL...     for example http://127.0.0.1:8000/metrics http://127.0.0.1:8001/metrics

Every metric that a panel or an alert uses must be exposed by one of the processes, or, when its process is not among them, be registered in the
sources of the health worker or the Telegram bot. The labels that are used must exist. Names follow Prometheus' conventions: counters end in
_total, histograms in a unit; no metric has more series than a dashboard can bear.
"""
import json
import pathlib
import re
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_SERIES = 400
COMPANIONS = ("services/health_worker", "services/telegram_bot")
UNITS = ("_seconds", "_bytes", "_ratio")
NAME = re.compile(r"\baimanager_[a-z0-9_]+\b")
# Labels that Prometheus adds, and the bucket bound.
OUTER_LABELS = {"job", "instance", "le"}


def exposed(text):
    """name -> (type, set of label names, number of series)"""
    metrics = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            metrics[name] = [kind, set(), 0]
        elif line and not line.startswith("#"):
            name = re.match(r"[a-zA-Z0-9_:]+", line).group(0)
            family = name if name in metrics else re.sub(r"_(bucket|sum|count)$", "", name)
            labels = re.findall(r'([a-zA-Z_]+)="', line[len(name):])
            metrics[family][1].update(labels)
            metrics[family][2] += not name.endswith("_bucket")
    return metrics


def expressions():
    for path in sorted((ROOT / "deploy/grafana").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                yield f"{path.name}: {panel['title']}", target["expr"]
    path = ROOT / "deploy/prometheus/alerts.yml"
    for line in path.read_text().splitlines():
        if line.strip().startswith("expr:"):
            yield path.name, line.split(":", 1)[1]


def used_labels(expression):
    for group in re.findall(r"\bby \(([^)]*)\)", expression):
        yield from (label.strip() for label in group.split(","))
    for group in re.findall(r"\{([^}]*)\}", expression):
        yield from re.findall(r"([a-z_]+)\s*[=!]", group)


def main(urls):
    problems, metrics = [], {}
    for url in urls:
        with urllib.request.urlopen(url, timeout=20) as answer:
            for name, (kind, labels, series) in exposed(answer.read().decode()).items():
                known = metrics.setdefault(name, [kind, set(), 0])
                known[1] |= labels
                known[2] = max(known[2], series)
    for name, (kind, _, series) in sorted(metrics.items()):
        if kind == "counter" and not name.endswith("_total"):
            problems.append(f"{name}: a counter's name ends in _total")
        if kind != "counter" and name.endswith("_total"):
            problems.append(f"{name}: only a counter's name ends in _total")
        if kind == "histogram" and not name.endswith(UNITS):
            problems.append(f"{name}: a histogram's name ends in its unit")
        if re.search(r"_(ms|milliseconds|kb|mb|percent)\b", name):
            problems.append(f"{name}: seconds, bytes and ratios are the units")
        if series > MOST_SERIES:
            problems.append(f"{name}: {series} series")
    elsewhere = {name for folder in COMPANIONS for file in (ROOT / folder).rglob("*.?pp") for name in NAME.findall(file.read_text())}
    used = 0
    for where, expression in expressions():
        labels = set()
        for name in NAME.findall(expression):
            used += 1
            family = name if name in metrics else re.sub(r"_(bucket|sum|count)$", "", name)
            if family in metrics:
                labels |= metrics[family][1]
                if metrics[family][2] == 0 and metrics[family][0] != "histogram":
                    labels |= set(used_labels(expression))  # no series yet, hence no labels to compare with
            elif family in elsewhere:
                labels |= set(used_labels(expression))
            else:
                problems.append(f"{where}: no process has {name}")
        for label in set(used_labels(expression)) - labels - OUTER_LABELS:
            problems.append(f"{where}: none of its metrics has the label {label}")
    for problem in problems:
        print("check_metrics: " + problem)
    print(f"check_metrics: {used} uses of {len(metrics)} metrics, {len(problems)} problems")
    return 1 if problems or not used or not metrics else 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip())
        sys.exit(0 if len(sys.argv) > 1 else 2)
    sys.exit(main(sys.argv[1:]))
