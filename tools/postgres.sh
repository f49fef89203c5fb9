#!/usr/bin/env bash
# A private PostgreSQL cluster: own files, a unix socket, no TCP port. As root it runs as the user `postgres`.
#
#   tools/postgres.sh start [--throwaway] DIR   makes it when needed, starts it in the background, prints DATABASE_URL
#   tools/postgres.sh url DIR                   prints DATABASE_URL
#   tools/postgres.sh status DIR                exit code 0 while it runs
#   tools/postgres.sh stop DIR                  stops it, keeps the data
#   tools/postgres.sh destroy DIR               stops it and deletes the data
#
# DIR may be anywhere: where the server's user cannot go, or the socket's path would be too long, a folder in /var/tmp stands
# for it. --throwaway is for tests: no waiting for the disk, so a crash of the machine loses the data.
set -euo pipefail
AIM_PROGRAM=postgres.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

start() {
    local identity server
    aim_pg_locate "$1"
    if identity=$(aim_pg_identity); then
        aim_pg_wait_ready "$identity" 30 || aim_die "the running PostgreSQL in $AIM_PG_HOME does not answer"
        aim_pg_url
        return
    fi
    aim_pg_prepare "$1"
    # shellcheck disable=SC2119
    (aim_pg_run) </dev/null >"$1.log" 2>&1 &
    server=$!
    identity=$(aim_process_identity "$server") || identity=""
    if ! aim_pg_wait_ready "$identity" 60; then
        [[ -z $identity ]] || aim_stop_process "$identity" 10 INT || true
        tail -n 20 "$1.log" >&2
        aim_die "PostgreSQL did not start"
    fi
    aim_pg_url
}

stop() {
    local identity
    aim_pg_locate "$1"
    identity=$(aim_pg_identity) || return 0
    aim_stop_process "$identity" 30 INT || aim_say "PostgreSQL had to be killed"
}

main() {
    local verb=${1:-} dir
    case $verb in
        start | url | status | stop | destroy) shift ;;
        *)
            aim_help "${BASH_SOURCE[0]}" >&2
            exit 2
            ;;
    esac
    if [[ ${1:-} == --throwaway ]]; then
        AIM_PG_EXTRA=(-c fsync=off -c full_page_writes=off)
        AIM_PG_INITDB=(--no-sync)
        shift
    fi
    [[ $# == 1 && -n $1 ]] || aim_die "exactly one folder is needed"
    dir=$(aim_absolute "$1")
    case $verb in
        start) start "$dir" ;;
        url)
            aim_pg_locate "$dir"
            aim_pg_url
            ;;
        status)
            aim_pg_locate "$dir"
            aim_pg_identity >/dev/null
            ;;
        stop) stop "$dir" ;;
        destroy)
            stop "$dir"
            rm -rf -- "$AIM_PG_HOME" "$dir.place" "$dir.log" "$dir.initdb.log"
            ;;
    esac
}

main "$@"
