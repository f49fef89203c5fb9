#!/usr/bin/env bash
# Records the load that release builds are optimised for, and writes it to tools/cmake/release.profdata.
#
#   tools/profile.sh [--no-install]
#
# Builds the preset `profile`, whose programs count what they execute; lets an installation of it serve prompts, streams and refusals over
# plain and TLS upstreams, its data API take the records, and every plugin its transcripts. Any machine's record will do: it holds counts,
# no times. To be run when what a prompt passes through has changed much: functions that are not as they were get no profile.
set -euo pipefail
AIM_PROGRAM=profile.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

main() {
    case ${1:-} in
        -h | --help)
            aim_help "${BASH_SOURCE[0]}"
            return 0
            ;;
        --no-install) ;;
        "") "$AIM_ROOT/tools/install-deps.sh" --test ;;
        *) aim_die "unknown option $1" ;;
    esac
    local dir=$AIM_ROOT/build/profile into=$AIM_ROOT/tools/cmake/release.profdata
    aim_build profile "$dir" services/all plugins/all bench_load fake_provider make_test_certificate dialect_bench ||
        aim_die "the build failed"
    rm -rf -- "$dir/counts"
    mkdir -m 777 -- "$dir/counts"
    LLVM_PROFILE_FILE=$dir/counts/%m-%p.profraw python3 -B "$AIM_ROOT/tools/bench/train.py" "$AIM_ROOT" "$dir"
    llvm-profdata-16 merge -sparse --failure-mode=all -o "$into.new" "$dir"/counts/*.profraw
    mv -- "$into.new" "$into"
    llvm-profdata-16 show "$into" | sed -n 's/^Total functions: /profile.sh: functions with counts: /p' >&2
}

main "$@"
