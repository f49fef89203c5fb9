#!/usr/bin/env bash
# Breaks a whole installation in every way that is known, under load, and prints what it cost: fault, times tried, prompts
# answered, lost, double, invented, longest outage.
#
#   tools/chaos.sh [--long] [--preset NAME] [--build-dir DIR] [--no-install] [--no-build]
#
#   --long          about twenty minutes: 50 kills a process, faults of a minute, a soak of ten, 10,000 idle connections
#   --preset NAME   which build (default bench, which is optimised; debug, asan-ubsan, …)
#
# Exit code 1 when anything was lost, doubled or invented, or when a test failed. The logs stay in the build folder.
set -euo pipefail
AIM_PROGRAM=chaos.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

preset=bench
build_dir=""
long=0
install=1
build=1
failed=0

# run_part NAME PROGRAM FILTER: one test executable, its output in a log; a failure is told and remembered.
run_part() {
    local log=$build_dir/chaos-$1.log
    aim_say "$1 …"
    if ! "$build_dir/bin/$2" --gtest_filter="$3" >"$log" 2>&1; then
        failed=1
        aim_say "$1 failed: $log"
        grep -aE '^\[  FAILED  \]|: Failure$' "$log" | head -n 20 >&2 || true
    fi
}

table() {
    printf '| fault | times tried | prompts answered | lost | double | invented | longest outage |\n'
    printf '| --- | --- | --- | --- | --- | --- | --- |\n'
    cat "$build_dir"/chaos-*.log | grep -aE '^\| ' || true
    printf '\n'
    cat "$build_dir"/chaos-*.log | grep -aE '^(soak of|a provider that was away|1,000 clients|503 overloaded|slowest of|a client |[0-9]+ idle)' || true
}

main() {
    while (($#)); do
        case $1 in
            --long) long=1 ;;
            --preset | --build-dir)
                [[ -n ${2:-} ]] || aim_die "$1 needs a value"
                if [[ $1 == --preset ]]; then preset=$2; else build_dir=$(aim_absolute "$2"); fi
                shift
                ;;
            --no-install) install=0 ;;
            --no-build) build=0 ;;
            -h | --help)
                aim_help "${BASH_SOURCE[0]}"
                return 0
                ;;
            *) aim_die "unknown option $1" ;;
        esac
        shift
    done
    [[ -n $build_dir ]] || build_dir=$AIM_ROOT/build/$preset
    if ((install)); then "$AIM_ROOT/tools/install-deps.sh" --test; fi
    if ((build)); then
        aim_build "$preset" "$build_dir" chaos_test ledger_integration_test failures_integration_test ||
            aim_die "the build failed"
    fi
    if ((long)); then
        ulimit -n "$(ulimit -Hn)"
        export AIM_CHAOS_ROUNDS=${AIM_CHAOS_ROUNDS:-50} AIM_CHAOS_SECONDS=${AIM_CHAOS_SECONDS:-60} AIM_SOAK_SECONDS=${AIM_SOAK_SECONDS:-600}
        export AIM_IDLE_CONNECTIONS=${AIM_IDLE_CONNECTIONS:-10000}
    fi
    rm -f -- "$build_dir"/chaos-*.log
    run_part processes ledger_integration_test 'LedgerTest.Killing*:LedgerTest.APostgres*'
    run_part faults chaos_test '*'
    run_part clients failures_integration_test '*Leaves*:*Leave*:*Beyond*:*OneSlow*:*Storms*:*Idle*:*DoesNotRead*'
    table
    return "$failed"
}

main "$@"
