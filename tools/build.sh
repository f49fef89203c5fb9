#!/usr/bin/env bash
# Installs what is missing and builds a preset.
#
#   tools/build.sh [PRESET] [--no-install] [TARGET...]     PRESET: release (default) debug bench asan-ubsan tsan coverage instrumented profile fuzz
set -euo pipefail
AIM_PROGRAM=build.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    aim_help "${BASH_SOURCE[0]}"
    exit 0
fi
preset=${1:-release}
shift || true
if [[ ${1:-} == --no-install ]]; then
    shift
else
    wanted=--test
    [[ $preset != release ]] || wanted=--run
    "$AIM_ROOT/tools/install-deps.sh" "$wanted"
fi
aim_build "$preset" "$AIM_ROOT/build/$preset" "$@" || aim_die "the build failed"
