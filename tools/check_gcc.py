#!/usr/bin/env python3
"""Compiles every source with g++ (gcc for C) without making code: the tree stays portable between both compilers.

Warnings are clang's business and stay off here, since g++ 12 warns inside coroutines and templates where nothing is wrong.

    tools/check_gcc.py BUILD_DIR [-j N] [--no-cache] [--folders core services …]
"""
import argparse
import os
import subprocess
import sys
import tempfile

import compile_db

FOLDERS = ["abi", "core", "plugins", "services", "tests"]
CLANG_ONLY = ("-W", "-fsanitize", "-fno-sanitize", "-fprofile-instr", "-fcoverage", "-fuse-ld", "-stdlib", "-pedantic", "-Xclang", "-g", "-O")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build_dir")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--no-cache", action="store_true")
    parser.add_argument("--folders", nargs="+", default=FOLDERS)
    options = parser.parse_args()

    entries = compile_db.load(options.build_dir, options.folders)
    cache = compile_db.Cache(os.path.join(compile_db.ROOT, "build", "lint-cache"), "gcc" + compile_db.version_of("g++"))

    def check(entry):
        if not options.no_cache and cache.is_good(entry):
            return "cached", ""
        compiler = ["gcc", "-std=c11"] if entry.is_c else ["g++", "-std=c++20"]
        arguments = [a for a in entry.arguments if not a.startswith(CLANG_ONLY + ("-std=",))]
        with tempfile.NamedTemporaryFile(suffix=".d") as rule:
            # -O1 lets no warning in; it is left out because nothing is generated.
            command = [*compiler, *arguments, "-w", "-fsyntax-only", "-MD", "-MF", rule.name, entry.path]
            result = subprocess.run(command, cwd=entry.directory, capture_output=True, text=True)
            if result.returncode:
                return "bad", result.stderr[:6000]
            with open(rule.name, encoding="utf-8") as written:
                cache.remember(entry, written.read())
        return "good", ""

    return compile_db.run_all("g++", entries, options.jobs, check)


if __name__ == "__main__":
    sys.exit(main())
