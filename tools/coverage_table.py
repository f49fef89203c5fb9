#!/usr/bin/env python3
"""Prints line coverage by folder from `llvm-cov export -summary-only` and fails below a floor.

A source of core/ or services/ that is in no program at all does not appear in llvm-cov's export; its lines are counted as not
covered, so that leaving a file out of the build does not raise the figure.
"""
import argparse
import json
import os
import sys

FOLDERS = ("core", "services")


def code_lines(path):
    """Lines that are neither blank nor a comment: an estimate for files that no program contains."""
    with open(path, encoding="utf-8", errors="replace") as source:
        return sum(1 for line in source if line.strip() and not line.lstrip().startswith("//"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export")
    parser.add_argument("--root", required=True)
    parser.add_argument("--floor", type=float, default=80.0)
    options = parser.parse_args()
    root = os.path.realpath(options.root)

    with open(options.export, encoding="utf-8") as export:
        data = json.load(export)["data"][0]
    lines = {}
    for entry in data["files"]:
        name = os.path.relpath(os.path.realpath(entry["filename"]), root)
        if name.split(os.sep)[0] in FOLDERS:
            summary = entry["summary"]["lines"]
            lines[name] = (summary["covered"], summary["count"])

    absent = []
    for folder in FOLDERS:
        for where, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                path = os.path.join(where, name)
                relative = os.path.relpath(path, root)
                if name.endswith(".cpp") and relative not in lines:
                    absent.append(relative)
                    lines[relative] = (0, code_lines(path))

    by_folder = {}
    for name, (covered, count) in lines.items():
        folder = by_folder.setdefault(os.path.dirname(name), [0, 0])
        folder[0] += covered
        folder[1] += count

    def row(name, covered, count):
        percent = 100.0 * covered / count if count else 100.0
        print(f"{name:<40} {covered:>8} {count:>8} {percent:>7.1f} %")
        return percent

    print(f"{'folder':<40} {'covered':>8} {'lines':>8} {'':>7}")
    for name in sorted(by_folder):
        row(name, *by_folder[name])
    total = row("core and services", *(sum(f[i] for f in by_folder.values()) for i in (0, 1)))
    worst = sorted(((c / n, name) for name, (c, n) in lines.items() if n >= 20))[:10]
    print("least covered files of 20 lines and more:")
    for share, name in worst:
        print(f"    {100 * share:5.1f} %  {name}")
    for name in sorted(absent):
        print(f"in no program: {name}", file=sys.stderr)
    if not lines:
        print("coverage: no lines were found", file=sys.stderr)
        return 1
    if total < options.floor:
        print(f"coverage: {total:.1f} % of lines is below the floor of {options.floor:g} %", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
