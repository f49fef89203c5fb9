#!/usr/bin/env bash
# Builds the fuzzers and lets each run for a while on a copy of its corpus.
#
#   tools/fuzz.sh [--seconds N] [--preset NAME] [--no-install] [NAME...]
#
#   --seconds N     how long each one runs (default 25)
#   --preset NAME   fuzz (default), or instrumented: the build that CI has for its tests, whose fuzzers do not see comparisons
#   NAME            only these (fuzz_sse_parser, or sse_parser)
#
# A finding ends with exit code 1; the input that did it is in build/PRESET/findings. Put it into tests/fuzz/corpus/<name> with the fix.
set -euo pipefail
AIM_PROGRAM=fuzz.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

preset=fuzz
seconds=25
install=1
names=()

fuzz_one() {
    local name=$1 corpus work=$build_dir/work/$1 log=$build_dir/log/$1.log
    corpus=$AIM_ROOT/tests/fuzz/corpus/$name
    [[ -d $corpus ]] || corpus=$AIM_ROOT/tests/fuzz/corpus/${name#fuzz_}
    local -a inputs=("$work") options=()
    [[ ! -d $corpus ]] || inputs+=("$corpus")
    [[ ! -f $corpus.dict ]] || options+=(-dict="$corpus.dict")
    mkdir -p "$work"
    # New inputs go to the first folder, so that the tree's corpus stays as it is. The number of one that hangs counts, too.
    LLVM_PROFILE_FILE=/dev/null ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
        ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-16 \
        "$build_dir/bin/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build_dir/findings/$name-" "${options[@]}" "${inputs[@]}" </dev/null >"$log" 2>&1
}

report() {
    local name=$1 log=$build_dir/log/$1.log runs
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if (($2 == 0)) && [[ ${runs:-0} -gt 0 ]]; then
        printf '%-40s %10s inputs, no finding\n' "$name" "$runs"
    else
        printf '%-40s FAILED, the end of its log:\n' "$name"
        tail -n 40 "$log"
        return 1
    fi
}

main() {
    while (($#)); do
        case $1 in
            --seconds)
                seconds=${2:?--seconds needs a value}
                shift
                ;;
            --preset)
                preset=${2:?--preset needs a value}
                shift
                ;;
            --no-install) install=0 ;;
            -h | --help)
                aim_help "${BASH_SOURCE[0]}"
                return 0
                ;;
            -*) aim_die "unknown option $1" ;;
            *) names+=("fuzz_${1#fuzz_}") ;;
        esac
        shift
    done
    [[ $seconds =~ ^[1-9][0-9]*$ ]] || aim_die "--seconds must be a number"
    if ((install)); then "$AIM_ROOT/tools/install-deps.sh" --test; fi
    build_dir=$AIM_ROOT/build/$preset
    mkdir -p "$build_dir"
    aim_configure "$preset" "$build_dir"
    if ((${#names[@]} == 0)); then
        mapfile -t names < <(ninja -C "$build_dir" -t targets all | sed -n 's/^bin\/\(fuzz_[a-z0-9_]*\): .*/\1/p' | sort -u)
    fi
    ((${#names[@]})) || aim_die "there is no fuzzer in the build"
    aim_build "$preset" "$build_dir" "${names[@]}" || aim_die "the build failed"
    rm -rf -- "$build_dir/work" "$build_dir/log" "$build_dir/findings"
    mkdir -p "$build_dir/work" "$build_dir/log" "$build_dir/findings"

    local name failed=0 status
    local -A pid_of=()
    local -a waiting=("${names[@]}") running=()
    while ((${#waiting[@]} + ${#running[@]})); do
        while ((${#waiting[@]} && ${#running[@]} < $(nproc))); do
            name=${waiting[0]}
            waiting=("${waiting[@]:1}")
            fuzz_one "$name" &
            pid_of[$name]=$!
            running+=("$name")
        done
        # They all run equally long, so the oldest is the next to end.
        name=${running[0]}
        running=("${running[@]:1}")
        status=0
        wait "${pid_of[$name]}" || status=$?
        report "$name" "$status" || failed=$((failed + 1))
    done
    ((failed == 0)) || aim_die "$failed of ${#names[@]} fuzzers found something"
}

trap 'kill $(jobs -p) 2>/dev/null || true' INT TERM
main "$@"
