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

    def check(source, sources):
        first = sources[0]
        compiler = ["gcc", "-std=c11"] if first.is_c else ["g++", "-std=c++20"]
        arguments = [a for a in compile_db.arguments_of(sources) if not a.startswith(CLANG_ONLY + ("-std=",))]
        with tempfile.NamedTemporaryFile("r", suffix=".d") as rule:
            # -O1 lets no warning in; it is left out because nothing is generated.
            command = [*compiler, *arguments, "-w", "-fsyntax-only", "-MD", "-MF", rule.name, source]
            result = subprocess.run(command, cwd=first.directory, capture_output=True, text=True)
            return (result.stderr[:6000] or "it failed without a word", "") if result.returncode else ("", rule.read())

    return compile_db.run_all("g++", entries, options.jobs, None if options.no_cache else cache, check)


if __name__ == "__main__":
    sys.exit(main())
