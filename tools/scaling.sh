#!/usr/bin/env bash
# Measures what grows with size (models, plugins, open streams, rows of history, retention, the ledger) and writes the tables of
# core/docs/scaling.md. Needs PostgreSQL, python3 and, for ten million rows, 12 GB in /var/tmp and half an hour (for a hundred million, with
# short texts, 60 GB and 40 minutes).
#
#   tools/scaling.sh [--build-dir DIR] [--only PARTS] [--models N...] [--plugins N...] [--streams N...] [--rows N...]
#   tools/scaling.sh --page     only writes the tables anew, from build/scaling-results.json
#
#   --build-dir DIR   take the programs from DIR as they are (default: build the preset `bench` in build/bench)
#   --only PARTS      some of choice,models,plugins,streams,history,retention,ledger; the tables of the others stay as they are
#   --models N...     and the like: the sizes (defaults 10 to 10000; 1 to 100; 1 to 10000; 10000 to 10000000)
set -euo pipefail
AIM_PROGRAM=scaling.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

build_dir=""
page=0
arguments=()
while (($#)); do
    case $1 in
        --build-dir)
            [[ -n ${2:-} ]] || aim_die "$1 needs a value"
            build_dir=$(aim_absolute "$2")
            shift
            ;;
        --only | --models | --plugins | --streams | --rows) arguments+=("$1") ;;
        --page)
            page=1
            arguments+=("$1")
            ;;
        -h | --help)
            aim_help "${BASH_SOURCE[0]}"
            exit 0
            ;;
        -*) aim_die "unknown option $1 (see --help)" ;;
        *) arguments+=("$1") ;;
    esac
    shift
done

if [[ -z $build_dir ]]; then
    build_dir=$AIM_ROOT/build/bench
    ((page)) || aim_build bench "$build_dir" services/all plugins/all fake_provider bench_load ledger_bench choice_bench scaling_plugin ||
        aim_die "the build failed"
fi
ulimit -n "$(ulimit -H -n)"
exec python3 "$AIM_ROOT/tests/bench/scaling/run.py" --build-dir "$build_dir" "${arguments[@]}"
