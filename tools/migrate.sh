#!/usr/bin/env bash
# Brings the database up to date, or seeds it, without starting the services: `tools/run.sh` does both by itself.
#
#   tools/migrate.sh [--migrate-only | --seed-only] [--build-dir DIR]
#
# Works on DATABASE_URL or POSTGRES_HOST when one is set, else on the private cluster of AIM_STATE_DIR (which it starts when it does
# not run, and stops again).
set -euo pipefail
AIM_PROGRAM=migrate.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

mode=--migrate-only
build_dir=$AIM_ROOT/build/release
build=1
started=""

# shellcheck disable=SC2317
stop_started() {
    [[ -z $started ]] || "$AIM_ROOT/tools/postgres.sh" stop "$started"
}

main() {
    while (($#)); do
        case $1 in
            --migrate-only | --seed-only) mode=$1 ;;
            --build-dir)
                build_dir=$(aim_absolute "${2:?--build-dir needs a value}") build=0
                shift
                ;;
            -h | --help)
                aim_help "${BASH_SOURCE[0]}"
                return 0
                ;;
            *) aim_die "unknown option $1" ;;
        esac
        shift
    done
    aim_load_env "$AIM_ROOT/.env"
    local state
    state=$(aim_absolute "${AIM_STATE_DIR:-$AIM_ROOT/var}")
    if ((build)); then
        "$AIM_ROOT/tools/install-deps.sh" --run
        aim_build release "$build_dir" aimanager-data-api || aim_die "the build failed"
    fi
    if [[ -z ${DATABASE_URL:-} && -z ${POSTGRES_HOST:-} ]]; then
        mkdir -p -- "$state"
        if ! "$AIM_ROOT/tools/postgres.sh" status "$state/postgres"; then
            started=$state/postgres
            trap stop_started EXIT
            trap 'exit 130' INT TERM HUP
            "$AIM_ROOT/tools/postgres.sh" start "$started" >/dev/null
        fi
        DATABASE_URL=$("$AIM_ROOT/tools/postgres.sh" url "$state/postgres")
        export DATABASE_URL
    fi
    export AIM_STATE_DIR=$state AIM_SQL_DIR=$AIM_ROOT/sql
    "$build_dir/bin/aimanager-data-api" "$mode"
}

main "$@"
