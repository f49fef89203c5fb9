#!/usr/bin/env bash
# Compiles every header by itself: the C ABI as C11, C17, C++17 and C++20 with gcc and clang and pedantic warnings as errors, every
# other header as C++20 with clang. Those are read after all headers of libraries that any of them includes, precompiled once, and one that
# the source of its own name includes first is left to the preset debug, which compiles source by source: else they would take minutes.
# What that could hide, a name without its header, is what tools/check_names.py looks for in all of them.
#
#   tools/check_headers.sh [BUILD_DIR]     BUILD_DIR/compile_commands.json gives the definitions of the tree (default build/debug)
set -euo pipefail
AIM_PROGRAM=check_headers.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd "$AIM_ROOT"

case ${1:-} in
    -h | --help)
        aim_help "${BASH_SOURCE[0]}"
        exit 0
        ;;
    -*) aim_die "unknown option $1 (see --help)" ;;
esac
(($# <= 1)) || aim_die "only one BUILD_DIR (see --help)"
build_dir=${1:-build/debug}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# Definitions and include folders as the tree's own sources have them, without those of single targets.
definitions() {
    python3 - "$build_dir/compile_commands.json" <<'PYTHON'
import collections
import json
import shlex
import sys

try:
    records = json.load(open(sys.argv[1], encoding="utf-8"))
except OSError:
    records = []
seen = collections.Counter()
system = []
for record in records:
    words = shlex.split(record["command"])
    seen.update({w for w in words if w.startswith("-D")})
    system += [w for before, w in zip(words, words[1:]) if before == "-isystem"]
for name, count in seen.items():
    if count == len(records):
        print(name)
for folder in dict.fromkeys(system):
    print("-isystem")
    print(folder)
PYTHON
}

# The headers that a source of the build proves: x.cpp whose first include is x.hpp.
proved_by_sources() {
    python3 - "$build_dir/compile_commands.json" <<'PYTHON'
import json
import os
import re
import sys

try:
    records = json.load(open(sys.argv[1], encoding="utf-8"))
except OSError:
    records = []
root = os.getcwd()
for source in sorted({os.path.realpath(os.path.join(r["directory"], r["file"])) for r in records}):
    header = os.path.splitext(os.path.relpath(source, root))[0] + ".hpp"
    if header.startswith("..") or not os.path.exists(header):
        continue
    with open(source, encoding="utf-8") as text:
        first = re.search(r'^#include\s+[<"]([^>"]+)[>"]', text.read(), re.MULTILINE)
    if first and first.group(1) == header:
        print(header)
PYTHON
}

# All headers that are not ours and that one of ours includes, precompiled with the words after the file's name.
precompile() {
    local to=$1
    shift
    git ls-files -co --exclude-standard -- 'core/*.hpp' 'plugins/*.hpp' 'services/*.hpp' 'tests/*.hpp' 'abi/include/*.hpp' | xargs grep -hE '^#include <' |
        sort -u >"$work/libraries.hpp"
    # What it leaves to be instantiated, each header would instantiate again.
    clang++-16 "$@" -fpch-instantiate-templates -x c++-header "$work/libraries.hpp" -o "$to"
}

# check NAME HEADER COMPILER...: one line "NAME<TAB>…" into a queue that xargs works off. Words are separated by \x01.
queue=$work/queue
: >"$queue"
enqueue() {
    local header=$1
    shift
    local IFS=$'\x01'
    printf '%s\x01%s\0' "$header" "$*" >>"$queue"
}

# shellcheck disable=SC2317
compile() {
    local header language
    local -a words
    IFS=$'\x01' read -r -d '' -a words < <(printf '%s\0' "$1") || true
    header=${words[0]}
    language=${words[1]}
    if ! printf '#include "%s"\n' "$header" | "${words[@]:2}" -x "$language" -fsyntax-only - 2>"$2/err.$$"; then
        printf 'FAILED: %s with %s\n' "$header" "${words[*]:2}"
        head -n 20 "$2/err.$$"
        return 1
    fi
}
export -f compile

main() {
    local file count=0 proved=0 compiler standard
    local -A has_source=()
    local -a shared=() ours=() strict=(-pedantic-errors -Wall -Wextra -Wshadow -Werror -Iabi/include)
    mapfile -t shared < <(definitions)
    while IFS= read -r file; do has_source[$file]=1; done < <(proved_by_sources)
    ours=(-std=c++20 -I. -DAIM_SOURCE_DIR='"."' -DAIM_BINARY_DIR='"."' -Iabi/include "${shared[@]}")
    precompile "$work/libraries.pch" "${ours[@]}" || aim_die "the headers of the libraries do not compile"
    while IFS= read -r file; do
        count=$((count + 1))
        file=${file#abi/include/}
        for standard in c11 c17; do
            for compiler in gcc clang-16; do
                enqueue "$file" c "$compiler" -std=$standard -Wstrict-prototypes "${strict[@]}"
            done
        done
        for standard in c++17 c++20; do
            for compiler in g++ clang++-16; do
                enqueue "$file" c++ "$compiler" -std=$standard "${strict[@]}"
            done
        done
    done < <(find abi/include/aim/abi -name '*.h' | sort)
    ((count > 0)) || aim_die "no header in abi/include/aim/abi"
    while IFS= read -r file; do
        count=$((count + 1))
        [[ -z ${has_source[$file]:-} ]] || {
            proved=$((proved + 1))
            continue
        }
        case $file in
            # The SDK stands by itself, too: nothing of the host's folders is in reach.
            abi/include/*) enqueue "${file#abi/include/}" c++ clang++-16 -std=c++20 -Wall -Wextra -Werror -Iabi/include ;;
            *)
                enqueue "$file" c++ clang++-16 -Wall -Wextra -Werror -Wno-unused-const-variable -include-pch "$work/libraries.pch" "${ours[@]}" \
                    -I"${file%/*}"
                ;;
        esac
    done < <(find abi/include/aim core plugins services tests -path '*/node_modules' -prune -o -name '*.hpp' -print | sort)
    # shellcheck disable=SC2016
    if ! xargs -0 -n 1 -P "$(aim_jobs)" bash -c 'compile "$1" "$0"' "$work" <"$queue"; then
        aim_die "some headers do not compile by themselves"
    fi
    printf 'headers: %d, of them %d the first include of their source\n' "$count" "$proved"
}

main
