# shellcheck shell=bash
# What the scripts in this folder share: paths, .env, processes that are known by more than their number, and the private
# PostgreSQL cluster. To be sourced under `set -euo pipefail`; it needs nothing beyond Debian's essential packages.

AIM_ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
AIM_PG_SUPERUSER=aimanager
AIM_PG_DATABASE=aimanager

# Never fails: a terminal that went away must not end a script in the middle of stopping things.
aim_say() { printf '%s: %s\n' "${AIM_PROGRAM:-aimanager}" "$*" >&2 || true; }

aim_die() {
    aim_say "$@"
    exit 1
}

# Lines "# …" below the first line of a script are its help.
aim_help() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$1"; }

aim_absolute() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s/%s\n' "$PWD" "$1" ;;
    esac
}

# --- configuration -------------------------------------------------------------------------------------------------------

# aim_load_env FILE: exports each KEY=VALUE whose KEY the environment does not have. The file is read, never executed; a value
# may stand in quotes, an empty one counts as not written.
aim_load_env() {
    local line key value number=0
    [[ -r $1 ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        number=$((number + 1))
        line=${line%$'\r'}
        [[ $line =~ ^[[:space:]]*(#|$) ]] && continue
        if ! [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)[[:space:]]*=[[:space:]]*(.*)$ ]]; then
            aim_say "$1:$number is not of the form NAME=value and is left out" # never shows the line: it may hold a key
            continue
        fi
        key=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
        if [[ $value =~ ^\"([^\"]*)\"[[:space:]]*(#.*)?$ || $value =~ ^\'([^\']*)\'[[:space:]]*(#.*)?$ ]]; then
            value=${BASH_REMATCH[1]}
        else
            [[ $value == '#'* ]] && value=""
            value=${value%%[[:space:]]#*}
            value=${value%"${value##*[![:space:]]}"}
        fi
        [[ -n $value && -z ${!key+set} ]] || continue
        case $key in
            PATH | IFS | BASH* | LD_* | SHELLOPTS | PS4 | UID | EUID | PPID | SECONDS | RANDOM) continue ;;
        esac
        export "$key=$value"
    done <"$1"
}

# --- building ------------------------------------------------------------------------------------------------------------

# Compile jobs: one a core, fewer where memory is short (a Beast source needs over a gigabyte).
aim_jobs() {
    local cores memory_kib jobs
    cores=$(nproc)
    memory_kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
    jobs=$((${memory_kib:-4000000} / 1500000))
    ((jobs < cores)) || jobs=$cores
    ((jobs > 0)) || jobs=1
    printf '%s\n' "$jobs"
}

# aim_configure PRESET BUILD_DIR: configures when that was never done, failed, or the presets are newer.
aim_configure() {
    local preset=$1 dir=$2 home
    local -a fresh=()
    if [[ -f $dir/CMakeCache.txt ]]; then
        home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$dir/CMakeCache.txt")
        # A tree that was moved or copied cannot use its old cache.
        [[ $home == "$AIM_ROOT" ]] || fresh=(--fresh)
        if ((${#fresh[@]} == 0)) && [[ -f $dir/build.ninja && ! $AIM_ROOT/CMakePresets.json -nt $dir/build.ninja ]]; then
            return 0
        fi
    fi
    (cd "$AIM_ROOT" && cmake --preset "$preset" "${fresh[@]}" -B "$dir") >&2
}

# aim_build PRESET BUILD_DIR [TARGET...]: two builds of one folder wait for each other.
# ccache takes sources with a precompiled header only when told that their macros are known.
aim_build() {
    export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
    local preset=$1 dir=$2 status=0
    shift 2
    mkdir -p "$dir"
    exec 8>"$dir/.aim.lock"
    if ! flock -n 8; then
        aim_say "another build of $dir is running, waiting for it"
        flock 8
    fi
    # Files that a plugin folder serves may not be writable by a group, whatever the caller's umask is.
    (umask 022 && aim_configure "$preset" "$dir" && ninja -C "$dir" -j "$(aim_jobs)" "$@" >&2) 8>&- || status=$?
    exec 8>&-
    return "$status"
}

# --- processes -----------------------------------------------------------------------------------------------------------

# A process is remembered as "pid start-time boot-id", so that a number that was used again is not mistaken for it.
aim_process_identity() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) } # the name in parentheses may hold anything
    # shellcheck disable=SC2086
    set -- "$1" $stat
    [[ $2 != Z ]] || return 1
    printf '%s %s %s\n' "$1" "${21}" "$(cat /proc/sys/kernel/random/boot_id)"
}

# aim_process_alive IDENTITY: succeeds while exactly that process runs (a zombie does not run).
aim_process_alive() {
    local now
    [[ -n $1 ]] && now=$(aim_process_identity "${1%% *}") && [[ $now == "$1" ]]
}

# aim_wait_gone IDENTITY SECONDS: succeeds as soon as the process is gone.
aim_wait_gone() {
    local deadline=$(($(aim_now_ms) + $2 * 1000))
    while aim_process_alive "$1"; do
        (($(aim_now_ms) < deadline)) || return 1
        sleep 0.05
    done
}

aim_now_ms() { printf '%s\n' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# aim_stop_process IDENTITY SECONDS SIGNAL: asks, waits, then kills; ends with whatever is left of its process group.
aim_stop_process() {
    local pid=${1%% *} status=0
    if aim_process_alive "$1"; then
        kill -s "$3" "$pid" 2>/dev/null || true
        if ! aim_wait_gone "$1" "$2"; then
            kill -s KILL "$pid" 2>/dev/null || true
            aim_wait_gone "$1" 5 || true
            status=1
        fi
    fi
    [[ -z $pid ]] || kill -s KILL -- "-$pid" 2>/dev/null || true
    return "$status"
}

# --- private PostgreSQL --------------------------------------------------------------------------------------------------
#
# A cluster that belongs to one state folder: own files, a unix socket and no TCP port. PostgreSQL refuses root, so under root it
# runs as the user `postgres`. Anyone who can enter its folder (mode 0700) is its superuser; nobody else can reach it.
#
#   aim_pg_locate DIR     sets the variables below; nothing is changed
#   aim_pg_prepare        makes the folder and, once, the cluster in it
#   aim_pg_run            replaces the shell by the server
#   aim_pg_wait_ready     until it takes connections; then makes sure that the database is there
#   aim_pg_url            prints DATABASE_URL

AIM_PG_BIN=""     # folder of initdb and postgres
AIM_PG_HOME=""    # data/ and s/ (the socket) are in here
AIM_PG_USER=""    # runs the server; empty: the caller
AIM_PG_PID=""     # postmaster.pid of the cluster
AIM_PG_EXTRA=()   # further "-c name=value" arguments

aim_pg_as_user() {
    local -a as=()
    [[ -z $AIM_PG_USER ]] || as=(setpriv --reuid="$AIM_PG_USER" --regid="$AIM_PG_USER" --init-groups)
    # An empty environment: the server has no use for the caller's keys.
    (cd / && exec env -i PATH="$AIM_PG_BIN:/usr/bin:/bin" LC_ALL=C.UTF-8 "${as[@]}" "$@")
}

# Can the server's user keep its files in $1, and does the socket's path fit into sockaddr_un (107 bytes and a NUL)?
aim_pg_place_fits() {
    local LC_ALL=C parent=$1
    local socket=$1/s/.s.PGSQL.5432.lock
    # A comma or a quote would end the path in unix_socket_directories.
    ((${#socket} <= 107)) && [[ $1 != *[,\"]* && $1 != *$'\n'* ]] || return 1
    while [[ ! -d $parent ]]; do parent=$(dirname -- "$parent"); done
    aim_pg_as_user test -x "$parent"
}

# aim_pg_locate DIR: DIR is made a private cluster's folder where that is possible; else a stable folder under /var/tmp stands for
# it. The choice is kept in DIR.place, so that later changes of permissions never make data seem lost.
aim_pg_locate() {
    local dir=$1 newest recorded="" hash
    newest=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin -type d 2>/dev/null | sort -V | tail -n 1)
    [[ -n $newest && -x $newest/postgres ]] || {
        aim_say "PostgreSQL is not installed (tools/install-deps.sh --run)"
        return 1
    }
    AIM_PG_BIN=$newest
    AIM_PG_USER=""
    if ((EUID == 0)); then
        AIM_PG_USER=postgres
        getent passwd postgres >/dev/null || {
            aim_say "there is no user 'postgres', and PostgreSQL refuses to run as root"
            return 1
        }
    fi
    [[ ! -f $dir.place ]] || recorded=$(<"$dir.place")
    if [[ -n $recorded ]]; then
        AIM_PG_HOME=$recorded
    elif aim_pg_place_fits "$dir"; then
        AIM_PG_HOME=$dir
    else
        hash=$(printf '%s' "$dir" | sha256sum | cut -c1-16)
        AIM_PG_HOME=/var/tmp/aimanager-$EUID-$hash
    fi
    AIM_PG_PID=$AIM_PG_HOME/data/postmaster.pid
}

# The major version of a cluster's files must be the server's: PostgreSQL does not read older ones.
aim_pg_use_version() {
    local version
    version=$(aim_pg_as_user cat "$AIM_PG_HOME/data/PG_VERSION") || return 1
    if [[ -x /usr/lib/postgresql/$version/bin/postgres ]]; then
        AIM_PG_BIN=/usr/lib/postgresql/$version/bin
    else
        aim_say "the data in $AIM_PG_HOME is of PostgreSQL $version, which is not installed"
        return 1
    fi
}

aim_pg_prepare() {
    local dir=$1 owner=$EUID actual
    [[ -z $AIM_PG_USER ]] || owner=$(id -u "$AIM_PG_USER")
    mkdir -p -- "$(dirname -- "$dir")"
    if [[ ! -d $AIM_PG_HOME ]]; then
        (umask 077 && mkdir -- "$AIM_PG_HOME") || return 1
        chown "$owner" -- "$AIM_PG_HOME"
    fi
    # /var/tmp is everybody's: a folder, or a link, that someone else put there is not used.
    actual=$(stat -c '%u %F' -- "$AIM_PG_HOME")
    if [[ $actual != "$owner directory" ]]; then
        aim_say "$AIM_PG_HOME must be a directory of the user with id $owner (it is: $actual)"
        return 1
    fi
    chmod 700 -- "$AIM_PG_HOME"
    printf '%s\n' "$AIM_PG_HOME" >"$dir.place"
    if ! aim_pg_as_user test -f "$AIM_PG_HOME/data/PG_VERSION"; then
        # Made beside its place and renamed, so that an interrupted initdb leaves no half cluster.
        aim_pg_as_user rm -rf -- "$AIM_PG_HOME/data.new"
        aim_pg_as_user "$AIM_PG_BIN/initdb" --pgdata="$AIM_PG_HOME/data.new" --username="$AIM_PG_SUPERUSER" \
            --auth-local=trust --auth-host=reject --encoding=UTF8 --locale=C.UTF-8 --no-instructions "${AIM_PG_INITDB[@]}" \
            >"$dir.initdb.log" 2>&1 </dev/null || {
            tail -n 20 "$dir.initdb.log" >&2
            return 1
        }
        aim_pg_as_user mv -- "$AIM_PG_HOME/data.new" "$AIM_PG_HOME/data"
        rm -f -- "$dir.initdb.log"
    fi
    aim_pg_as_user mkdir -p -m 700 -- "$AIM_PG_HOME/s"
    aim_pg_use_version && aim_pg_clear_leftover
}
AIM_PG_INITDB=()

# Process ids that work in this cluster's data folder (the server and its children stand in it).
aim_pg_processes() {
    local cwd pid
    for cwd in /proc/[0-9]*/cwd; do
        [[ $(readlink -- "$cwd" 2>/dev/null) == "$AIM_PG_HOME/data" ]] || continue
        pid=${cwd#/proc/}
        printf '%s\n' "${pid%/cwd}"
    done
}

# After kill -9 a server may still be running for nobody, or its lock files may name a process that is now something else, or is a
# zombie (PostgreSQL takes either for a running server).
aim_pg_clear_leftover() {
    local pid="" identity
    if aim_pg_as_user test -e "$AIM_PG_PID"; then pid=$(aim_pg_as_user head -n 1 "$AIM_PG_PID"); fi
    if [[ $pid =~ ^[0-9]+$ && $(readlink -- "/proc/$pid/cwd" 2>/dev/null) == "$AIM_PG_HOME/data" ]]; then
        if identity=$(aim_process_identity "$pid"); then
            aim_say "stopping the PostgreSQL that an earlier run left behind"
            aim_stop_process "$identity" 30 INT || true
        fi
    fi
    # Its children notice that it is gone and end; their shared memory must be free before a new server starts.
    local deadline=$((SECONDS + 15))
    while [[ -n $(aim_pg_processes) ]]; do
        ((SECONDS < deadline)) || {
            aim_say "processes of an earlier PostgreSQL do not end: $(aim_pg_processes | tr '\n' ' ')"
            return 1
        }
        sleep 0.1
    done
    aim_pg_as_user rm -f -- "$AIM_PG_PID" "$AIM_PG_HOME/s/.s.PGSQL.5432" "$AIM_PG_HOME/s/.s.PGSQL.5432.lock"
}

# aim_pg_run [DEATH_SIGNAL]: becomes the server, in the foreground, writing to stdout and stderr; to be called in a subshell. With
# DEATH_SIGNAL the kernel sends that when the caller's shell dies, in whatever way.
aim_pg_run() {
    local -a command=()
    [[ -z ${1:-} ]] || command+=(setpriv --pdeathsig "$1")
    command+=(env -i PATH="$AIM_PG_BIN:/usr/bin:/bin" LC_ALL=C.UTF-8 "$AIM_PG_BIN/postgres" -D "$AIM_PG_HOME/data"
        -c listen_addresses= -c "unix_socket_directories=\"$AIM_PG_HOME/s\"" -c unix_socket_permissions=0700 -c port=5432
        -c logging_collector=off -c log_destination=stderr "${AIM_PG_EXTRA[@]}")
    [[ -z $AIM_PG_USER ]] || command=(setpriv --reuid="$AIM_PG_USER" --regid="$AIM_PG_USER" --init-groups "${command[@]}")
    cd /
    exec setsid "${command[@]}"
}

# aim_pg_wait_ready IDENTITY SECONDS
aim_pg_wait_ready() {
    local deadline=$(($(aim_now_ms) + $2 * 1000))
    until aim_pg_as_user "$AIM_PG_BIN/pg_isready" -q -h "$AIM_PG_HOME/s" -p 5432 -d postgres -U "$AIM_PG_SUPERUSER"; do
        aim_process_alive "$1" || return 1
        (($(aim_now_ms) < deadline)) || return 1
        sleep 0.05
    done
    local -a at=(-h "$AIM_PG_HOME/s" -p 5432 -U "$AIM_PG_SUPERUSER")
    if [[ $(aim_pg_as_user "$AIM_PG_BIN/psql" "${at[@]}" -d postgres -XAtqc \
        "SELECT 1 FROM pg_database WHERE datname = '$AIM_PG_DATABASE'") != 1 ]]; then
        aim_pg_as_user "$AIM_PG_BIN/createdb" "${at[@]}" "$AIM_PG_DATABASE"
    fi
}

aim_pg_url() {
    local LC_ALL=C text=$AIM_PG_HOME/s out="" char i
    for ((i = 0; i < ${#text}; i++)); do
        char=${text:i:1}
        case $char in
            [A-Za-z0-9/._~-]) out+=$char ;;
            *) out+=$(printf '%%%02X' "'$char") ;;
        esac
    done
    # Multi-byte characters come out of printf as negative numbers in some locales; LC_ALL=C above makes them bytes.
    printf 'postgresql://%s@/%s?host=%s&port=5432\n' "$AIM_PG_SUPERUSER" "$AIM_PG_DATABASE" "$out"
}

# The identity of this cluster's running server; fails when there is none.
aim_pg_identity() {
    local pid
    aim_pg_as_user test -e "$AIM_PG_PID" || return 1
    pid=$(aim_pg_as_user head -n 1 "$AIM_PG_PID") || return 1
    [[ $(readlink -- "/proc/$pid/cwd" 2>/dev/null) == "$AIM_PG_HOME/data" ]] || return 1
    aim_process_identity "$pid"
}
