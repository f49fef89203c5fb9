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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build_dir")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--no-cache", action="store_true")
    parser.add_argument("--folders", nargs="+", default=FOLDERS)
    options = parser.parse_args()

    entries = compile_db.load(options.build_dir, options.folders)
    with open(os.path.join(compile_db.ROOT, ".clang-tidy"), encoding="utf-8") as rules:
        cache = compile_db.Cache(os.path.join(compile_db.ROOT, "build", "lint-cache"),
                                 "tidy" + compile_db.version_of(TIDY) + rules.read())

    def check(entry):
        if not options.no_cache and cache.is_good(entry):
            return "cached", ""
        # The tree's own warnings are errors in the build; here only tidy speaks.
        arguments = [a for a in entry.arguments if not a.startswith(("-W", "-fprofile-instr", "-fcoverage", "-fsanitize"))] + ["-w"]
        compiler = "clang-16" if entry.is_c else "clang++-16"
        result = subprocess.run([TIDY, "--quiet", entry.path, "--", compiler, *arguments],
                                cwd=entry.directory, capture_output=True, text=True)
        if result.returncode or result.stdout.strip():
            return "bad", (result.stdout + result.stderr)[:8000]
        with tempfile.NamedTemporaryFile(suffix=".d") as rule:
            listed = subprocess.run([compiler, *arguments, "-M", "-MF", rule.name, entry.path],
                                    cwd=entry.directory, capture_output=True, text=True)
            if listed.returncode == 0:
                with open(rule.name, encoding="utf-8") as written:
                    cache.remember(entry, written.read())
        return "good", ""

    return compile_db.run_all("clang-tidy", entries, options.jobs, check)


if __name__ == "__main__":
    sys.exit(main())
