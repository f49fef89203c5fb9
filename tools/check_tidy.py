#!/usr/bin/env python3
"""Runs clang-tidy with the tree's .clang-tidy over the product's sources. Every check there is an error.

Tests are left out unless --folders names them: the checks look for bugs in what is shipped.

    tools/check_tidy.py BUILD_DIR [-j N] [--no-cache] [--folders core services …]
"""
import argparse
import os
import subprocess
import sys
import tempfile

import compile_db

FOLDERS = ["abi", "core", "plugins", "services"]
TIDY = "clang-tidy-16"
RULES = os.path.join(compile_db.ROOT, ".clang-tidy")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build_dir")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--no-cache", action="store_true")
    parser.add_argument("--folders", nargs="+", default=FOLDERS)
    options = parser.parse_args()

    entries = compile_db.load(options.build_dir, options.folders)
    with open(RULES, encoding="utf-8") as rules:
        cache = compile_db.Cache(os.path.join(compile_db.ROOT, "build", "lint-cache"),
                                 "tidy" + compile_db.version_of(TIDY) + rules.read())

    def check(source, sources):
        first = sources[0]
        # The tree's own warnings are errors in the build; here only tidy speaks.
        arguments = [a for a in compile_db.arguments_of(sources) if not a.startswith(("-W", "-fprofile-instr", "-fcoverage", "-fsanitize"))] + ["-w"]
        compiler = "clang-16" if first.is_c else "clang++-16"
        # A source that stands for several includes them, which else nobody should.
        options_of_batch = ["--checks=-bugprone-suspicious-include"] if len(sources) > 1 else []
        result = subprocess.run([TIDY, "--quiet", "--config-file=" + RULES, *options_of_batch, source, "--", compiler, *arguments],
                                cwd=first.directory, capture_output=True, text=True)
        if result.returncode or result.stdout.strip():
            return (result.stdout + result.stderr)[:8000], ""
        if options.no_cache:
            return "", ""
        with tempfile.NamedTemporaryFile("r", suffix=".d") as rule:
            listed = subprocess.run([compiler, *arguments, "-M", "-MF", rule.name, source], cwd=first.directory, capture_output=True)
            return "", rule.read() if listed.returncode == 0 else ""

    return compile_db.run_all("clang-tidy", entries, options.jobs, None if options.no_cache else cache, check)


if __name__ == "__main__":
    sys.exit(main())
