#!/usr/bin/env bash
# Starts AI Manager on this machine: installs what is missing, builds a release, starts a private PostgreSQL (unless DATABASE_URL or
# POSTGRES_HOST is set), the data API, the business API, the health worker and (with TELEGRAM_BOT_TOKEN) the Telegram bot, says when it is ready, and waits. Ctrl-C stops everything.
#
#   tools/run.sh [--preset NAME] [--build-dir DIR] [--no-install] [--no-build]
#   tools/run.sh --stop      stops the one that runs with the same AIM_STATE_DIR
#
#   --preset NAME     CMake preset to build (default release; --release is the same)
#   --build-dir DIR   where to build, and to take the programs from (default build/<preset>)
#   --no-install      do not look for missing packages
#   --no-build        take the build folder as it is
#   --no-worker       leave the health worker out, so that no model is asked anything by itself
#
# Variables: BUSINESS_API_PORT, DATA_API_PORT, HEALTH_WORKER_PORT, TELEGRAM_BOT_PORT, BUSINESS_API_HOST, DATA_API_HOST, AIM_STATE_DIR
# (data, logs, API keys; default var/ in this tree), API_KEY, TELEGRAM_BOT_TOKEN, provider keys, and all the others in .env.example. A
# file .env in this tree is read; the environment wins.
# With other ports and another state folder a second one runs beside the first.
set -euo pipefail
AIM_PROGRAM=run.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

readonly -a PROVIDER_KEYS=(GOOGLE_AI_STUDIO_API_KEY GROQ_API_KEY CEREBRAS_API_KEY SAMBANOVA_API_KEY HUGGINGFACE_API_KEY
    CLOUDFLARE_ACCOUNT_ID CLOUDFLARE_API_TOKEN)
readonly -a DATABASE_VARIABLES=(DATABASE_URL POSTGRES_HOST POSTGRES_PORT POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD)

# A script that starts this in the background hands SIGINT down as ignored, and a shell cannot take that back for itself.
heed_interrupts() {
    local mask
    mask=$(sed -n 's/^SigIgn:[[:space:]]*//p' "/proc/$$/status")
    ((0x$mask & 1 << 1)) || return 0
    exec env --default-signal=INT,QUIT bash "${BASH_SOURCE[0]}" "$@"
}

preset=release
build_dir=""
install=1
build=1
worker=1
is_ready=0
started=()            # names, in the order of their start
declare -A identity=() # name -> what aim_process_identity said
declare -A grace=()    # name -> seconds it may take to stop
declare -A stop_signal=()

# --- starting and stopping -----------------------------------------------------------------------------------------------

# start NAME GRACE_SECONDS SIGNAL FUNCTION: runs FUNCTION (which execs a program) as a process group of its own, so that Ctrl-C in the
# terminal reaches only this script and the order of stopping is ours.
start() {
    local name=$1 log=$state/log/$1.log pid
    [[ ! -f $log ]] || mv -f -- "$log" "$log.1"
    ("$4") </dev/null >"$log" 2>&1 9>&- &
    pid=$!
    identity[$name]=$(aim_process_identity "$pid") || identity[$name]="$pid 0 gone"
    grace[$name]=$2
    stop_signal[$name]=$3
    started+=("$name")
    printf '%s\n' "${identity[$name]}" >"$state/run/$name.pid"
}

# The kernel tells a program when this script dies without a word (kill -9), so that none is left behind.
become() { exec setsid setpriv --pdeathsig TERM "$@"; }

stop_all() {
    local i name
    trap '' INT TERM HUP
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do
        name=${started[i]}
        # Without the shell's own line about a killed job.
        aim_stop_process "${identity[$name]}" "${grace[$name]}" "${stop_signal[$name]}" 2>/dev/null ||
            aim_say "$name did not stop within ${grace[$name]} s and was killed"
        rm -f -- "$state/run/$name.pid" "$state/run/$name.url"
    done
    if ((${#started[@]})); then
        started=()
        aim_say "stopped"
    fi
    [[ -z ${pid_file:-} ]] || rm -f -- "$pid_file"
}

on_signal() {
    ((is_ready)) || exit 130
    aim_say "stopping"
    exit 0
}

# What an earlier run left behind (both it and its children can die of kill -9) must be gone before ports and files are taken.
stop_leftovers() {
    local name file old
    for name in telegram-bot health-worker business-api data-api; do
        file=$state/run/$name.pid
        rm -f -- "$state/run/$name.url"
        [[ -f $file ]] || continue
        old=$(<"$file")
        if aim_process_alive "$old"; then
            aim_say "stopping the $name that an earlier run left behind"
            aim_stop_process "$old" 10 TERM || true
        fi
        rm -f -- "$file"
    done
}

child_died() {
    local name=$1 log=$state/log/$1.log
    aim_say "$name ended unexpectedly${2:+ (exit code $2)}; the end of $log:"
    tail -n 25 -- "$log" >&2 || true
    exit 1
}

# --- the programs --------------------------------------------------------------------------------------------------------

run_postgres() { aim_pg_run INT; }

run_data_api() {
    export AIM_SQL_DIR=$AIM_ROOT/sql
    become "$build_dir/bin/aimanager-data-api"
}

# For those who talk to providers. They reach data by HTTP only; the database's address and password are none of their business.
take_provider_keys() {
    local name
    unset "${DATABASE_VARIABLES[@]}"
    for name in "${PROVIDER_KEYS[@]}"; do
        [[ -z ${!name+set} ]] || export "${name?}"
    done
}

run_business_api() {
    take_provider_keys
    export API_KEY=$api_key
    [[ -z $bot_api_key ]] || export BOT_API_KEY=$bot_api_key
    become "$build_dir/bin/aimanager-business-api"
}

run_health_worker() {
    take_provider_keys
    become "$build_dir/bin/aimanager-health-worker"
}

# Talks to Telegram and to the business API, with a key of its own that has no rate limit: it counts each of its users by itself.
run_telegram_bot() {
    unset "${DATABASE_VARIABLES[@]}" DATA_API_TOKEN MASTER_KEY
    export TELEGRAM_BOT_TOKEN=$telegram_token BOT_API_KEY=$bot_api_key BUSINESS_API_URL=${BUSINESS_API_URL:-$business_url}
    become "$build_dir/bin/aimanager-telegram-bot"
}

# wait_ready NAME URL SECONDS
wait_ready() {
    local deadline=$(($(aim_now_ms) + $3 * 1000))
    until curl -fsS --noproxy '*' --max-time 2 -o "$state/run/ready" "$2/ready" 2>/dev/null; do
        aim_process_alive "${identity[$1]}" || child_died "$1"
        if (($(aim_now_ms) >= deadline)); then
            aim_say "$1 was not ready within $3 s; it last said: $(head -c 2000 "$state/run/ready" 2>/dev/null || true)"
            curl -sS --noproxy '*' --max-time 2 "$2/ready" >&2 || true
            printf '\n' >&2
            tail -n 25 -- "$state/log/$1.log" >&2 || true
            exit 1
        fi
        sleep 0.03
    done
}

# --- configuration -------------------------------------------------------------------------------------------------------

check_port() {
    local variable=$1 value=${!1}
    if ! [[ $value =~ ^[1-9][0-9]{0,4}$ ]] || ((value > 65535)); then
        aim_die "$variable must be a port number (1 to 65535), not '$value'"
    fi
}

# The address at which a server bound to $1 is reached from here, as it stands in a URL.
reach() {
    case $1 in
        0.0.0.0 | "*" | "") printf '127.0.0.1\n' ;;
        :: | "[::]") printf '[::1]\n' ;;
        "["*) printf '%s\n' "$1" ;;
        *:*) printf '[%s]\n' "$1" ;;
        *) printf '%s\n' "$1" ;;
    esac
}

# port_taken PORT HOST
port_taken() { (exec 3<>"/dev/tcp/${2//[\[\]]/}/$1") 2>/dev/null; }

# Two gateways could share one port without noticing (SO_REUSEPORT), hence the question.
require_free_port() {
    local variable=$1 port=${!1}
    if port_taken "$port" "$2"; then
        aim_die "port $port is taken by another program; set $variable to a free one, for example: $variable=$((port + 100)) tools/run.sh"
    fi
}

configure() {
    local name any_key=""
    aim_load_env "$AIM_ROOT/.env"
    : "${BUSINESS_API_HOST:=127.0.0.1}" "${BUSINESS_API_PORT:=8000}" "${DATA_API_HOST:=127.0.0.1}" "${DATA_API_PORT:=8001}"
    check_port BUSINESS_API_PORT
    check_port DATA_API_PORT
    # Nobody else calls the worker: unless it is told a port, it takes any (its log says which) where 8002 is another run's.
    worker_host=$(reach "${HEALTH_WORKER_HOST:-127.0.0.1}")
    if [[ -z ${HEALTH_WORKER_PORT+set} ]]; then
        HEALTH_WORKER_PORT=8002
        if [[ $BUSINESS_API_PORT/$DATA_API_PORT != 8000/8001 ]] || port_taken 8002 "$worker_host"; then HEALTH_WORKER_PORT=0; fi
    fi
    [[ $HEALTH_WORKER_PORT == 0 ]] || check_port HEALTH_WORKER_PORT
    export HEALTH_WORKER_PORT
    # The token is handed to the bot only; without one there is no bot. Its port is found like the worker's.
    telegram_token=${TELEGRAM_BOT_TOKEN:-} bot_api_key=${BOT_API_KEY:-}
    export -n TELEGRAM_BOT_TOKEN BOT_API_KEY
    unset TELEGRAM_BOT_TOKEN BOT_API_KEY
    bot_host=$(reach "${TELEGRAM_BOT_HOST:-127.0.0.1}")
    if [[ -z ${TELEGRAM_BOT_PORT+set} ]]; then
        TELEGRAM_BOT_PORT=8003
        if [[ $BUSINESS_API_PORT/$DATA_API_PORT != 8000/8001 ]] || port_taken 8003 "$bot_host"; then TELEGRAM_BOT_PORT=0; fi
    fi
    [[ $TELEGRAM_BOT_PORT == 0 ]] || check_port TELEGRAM_BOT_PORT
    export TELEGRAM_BOT_PORT
    [[ $BUSINESS_API_PORT != "$DATA_API_PORT" ]] || aim_die "BUSINESS_API_PORT and DATA_API_PORT must differ (both are $DATA_API_PORT)"
    business_url=http://$(reach "$BUSINESS_API_HOST"):$BUSINESS_API_PORT
    data_url=http://$(reach "$DATA_API_HOST"):$DATA_API_PORT
    : "${DATA_API_URL:=$data_url}" "${LOG_LEVEL:=INFO}"
    state=$(aim_absolute "${AIM_STATE_DIR:-$AIM_ROOT/var}")
    AIM_STATE_DIR=$state
    export BUSINESS_API_HOST BUSINESS_API_PORT DATA_API_HOST DATA_API_PORT DATA_API_URL AIM_STATE_DIR LOG_LEVEL

    [[ -n $build_dir ]] || build_dir=build/$preset
    case $build_dir in
        /*) ;;
        # The default and a name in the tree are meant from the tree's root, from wherever this was called.
        build/*) build_dir=$AIM_ROOT/$build_dir ;;
        *) build_dir=$PWD/$build_dir ;;
    esac
    : "${PLUGIN_PATH:=$build_dir/plugins:$state/plugins}"
    export PLUGIN_PATH

    for name in "${PROVIDER_KEYS[@]}"; do any_key+=${!name:-}; done
    for name in "${PROVIDER_KEYS[@]}"; do
        [[ -n $any_key || -n ${!name+set} ]] || printf -v "$name" mock
        # Handed to those who talk to providers only.
        export -n "${name?}"
    done
    api_key=${API_KEY:-}
    export -n API_KEY
    unset API_KEY
}

prepare_state() {
    local owner
    mkdir -p -- "$state" 2>/dev/null || true
    touch -- "$state/run.lock" 2>/dev/null || aim_die "AIM_STATE_DIR=$state cannot be written by $(id -un)"
    exec 9>>"$state/run.lock"
    if ! flock -n 9; then
        owner=$(cut -d ' ' -f 1 "$state/run.pid" 2>/dev/null || true)
        aim_die "another run.sh (process ${owner:-unknown}) uses the state folder $state;" \
            "stop it (tools/run.sh --stop) or set AIM_STATE_DIR to another folder"
    fi
    pid_file=$state/run.pid
    aim_process_identity $$ >"$pid_file"
    # Plugins are dropped in here; the loader refuses a folder that others can write.
    (umask 022 && mkdir -p -- "$state/plugins" "$state/run")
    (umask 077 && mkdir -p -- "$state/log")
}

# keep_key FILE: prints the key in the state folder's FILE, made when it is not there.
keep_key() {
    local file=$state/$1
    if [[ ! -s $file ]]; then
        (
            umask 077
            rm -f -- "$file.new"
            printf 'aim_%s\n' "$(head -c 32 /dev/urandom | base64 -w 0 | tr '+/' '-_' | tr -d '=')" >"$file.new"
            mv -f -- "$file.new" "$file"
        )
    fi
    chmod 600 -- "$file"
    printf '%s\n' "$(<"$file")"
}

ensure_api_keys() {
    [[ -n $api_key ]] || api_key=$(keep_key api_key)
    if [[ -z $telegram_token ]]; then
        bot_api_key=""
    elif [[ -z $bot_api_key ]]; then
        bot_api_key=$(keep_key bot_api_key)
    fi
}

stop_running() {
    local old=""
    [[ ! -f $state/run.pid ]] || old=$(<"$state/run.pid")
    if ! aim_process_alive "$old"; then
        aim_say "nothing runs with the state folder $state"
        return 0
    fi
    kill -s TERM "${old%% *}" || aim_die "process ${old%% *} cannot be stopped by $(id -un)"
    aim_wait_gone "$old" 120 || aim_die "process ${old%% *} has not stopped within 120 s"
    aim_say "stopped the run with the state folder $state"
}

start_everything() {
    local private_database=0 drain_ms=${DRAIN_TIMEOUT_MS:-30000}
    [[ $drain_ms =~ ^[0-9]{1,9}$ ]] || drain_ms=30000
    stop_leftovers
    require_free_port DATA_API_PORT "$(reach "$DATA_API_HOST")"
    require_free_port BUSINESS_API_PORT "$(reach "$BUSINESS_API_HOST")"
    ((!worker || !HEALTH_WORKER_PORT)) || require_free_port HEALTH_WORKER_PORT "$worker_host"
    [[ -z $telegram_token || $TELEGRAM_BOT_PORT == 0 ]] || require_free_port TELEGRAM_BOT_PORT "$bot_host"
    if [[ -z ${DATABASE_URL:-} && -z ${POSTGRES_HOST:-} ]]; then
        private_database=1
        aim_pg_locate "$state/postgres" || exit 1
        aim_pg_prepare "$state/postgres" || exit 1
        start postgres 30 INT run_postgres
    fi
    if ((private_database)); then
        aim_pg_wait_ready "${identity[postgres]}" 60 || child_died postgres
        DATABASE_URL=$(aim_pg_url)
        export DATABASE_URL
    fi
    start data-api 15 TERM run_data_api
    wait_ready data-api "$data_url" 60
    start business-api $((drain_ms / 1000 + 5)) TERM run_business_api
    wait_ready business-api "$business_url" 60
    # Nobody waits for its first round: it may take as long as the slowest provider.
    ((!worker)) || start health-worker $((drain_ms / 1000 + 15)) TERM run_health_worker
    # Nor for Telegram: the bot asks until it is reached.
    [[ -z $telegram_token ]] || start telegram-bot $((drain_ms / 1000 + 10)) TERM run_telegram_bot
    rm -f -- "$state/run/ready"
}

say_ready() {
    local header
    printf -v header '%q' "X-API-Key: $api_key"
    [[ $api_key != *[!A-Za-z0-9_.-]* ]] && header="'X-API-Key: $api_key'"
    printf "AI Manager is ready: %s  API key: %s  Try: curl -sS %s/api/v1/prompts -H %s -H 'Content-Type: application/json' -d '%s'\n" \
        "$business_url" "$api_key" "$business_url" "$header" '{"prompt":"Hello"}'
}

# say_where NAME HOST PORT: where the worker or the bot listens is told, and left for `aimanager status`. A port that it has chosen by
# itself (0) stands in its log.
say_where() {
    local name=$1 port=$3 deadline=$(($(aim_now_ms) + 5000))
    while [[ $port == 0 ]]; do
        port=$(sed -n 's/.*"event":"started".*"port":\([0-9]\{1,5\}\).*/\1/p' "$state/log/$name.log" 2>/dev/null | tail -n 1) || true
        [[ -z $port ]] || break
        # Of one that died who waits for the end hears, and one that logs errors only says nothing.
        aim_process_alive "${identity[$name]}" || return 0
        (($(aim_now_ms) < deadline)) || return 0
        port=0
        sleep 0.05
    done
    printf 'http://%s:%s\n' "$2" "$port" >"$state/run/$name.url.new"
    mv -f -- "$state/run/$name.url.new" "$state/run/$name.url"
    aim_say "$name: $(<"$state/run/$name.url")"
}

# Returns when a child ends; a signal ends the wait and the script.
wait_for_the_end() {
    local name pid="" status=0
    local -a pids=()
    for name in "${started[@]}"; do pids+=("${identity[$name]%% *}"); done
    # Without the shell's own line about a killed job.
    wait -n -p pid "${pids[@]}" 2>/dev/null || status=$?
    for name in "${started[@]}"; do
        [[ ${identity[$name]%% *} != "$pid" ]] || child_died "$name" "$status"
    done
    aim_die "a child ended that is not known"
}

main() {
    local stop=0
    while (($#)); do
        case $1 in
            --preset | --build-dir)
                [[ -n ${2:-} ]] || aim_die "$1 needs a value"
                if [[ $1 == --preset ]]; then preset=$2; else build_dir=$2; fi
                shift
                ;;
            --preset=*) preset=${1#*=} ;;
            --build-dir=*) build_dir=${1#*=} ;;
            --release) preset=release ;;
            --no-install) install=0 ;;
            --no-build) build=0 ;;
            --no-worker) worker=0 ;;
            --stop) stop=1 ;;
            -h | --help)
                aim_help "${BASH_SOURCE[0]}"
                return 0
                ;;
            *) aim_die "unknown option $1 (see --help)" ;;
        esac
        shift
    done
    configure
    if ((stop)); then
        stop_running
        return
    fi
    trap stop_all EXIT
    trap on_signal INT TERM HUP
    trap : PIPE # `run.sh | head` must not end it without stopping the rest
    prepare_state
    stop_leftovers
    # Asked before minutes are spent on building, and once more before the start.
    require_free_port DATA_API_PORT "$(reach "$DATA_API_HOST")"
    require_free_port BUSINESS_API_PORT "$(reach "$BUSINESS_API_HOST")"
    ((!worker || !HEALTH_WORKER_PORT)) || require_free_port HEALTH_WORKER_PORT "$worker_host"
    [[ -z $telegram_token || $TELEGRAM_BOT_PORT == 0 ]] || require_free_port TELEGRAM_BOT_PORT "$bot_host"
    # The lock is this script's: a child that kept it would lock the state folder for longer than the script lives.
    local swagger_ui=""
    if ((install)); then
        "$AIM_ROOT/tools/install-deps.sh" --run 9>&-
        # While the compiler works; without Swagger UI everything but /docs is as it should be.
        "$AIM_ROOT/tools/swagger-ui.sh" --daily "$build_dir" 9>&- &
        swagger_ui=$!
    fi
    if ((build)); then aim_build "$preset" "$build_dir" 9>&- || aim_die "the build failed"; fi
    [[ -z $swagger_ui ]] || wait "$swagger_ui" || true
    local program
    local -a programs=(aimanager-data-api aimanager-business-api)
    ((!worker)) || programs+=(aimanager-health-worker)
    [[ -z $telegram_token ]] || programs+=(aimanager-telegram-bot)
    for program in "${programs[@]}"; do
        [[ -x $build_dir/bin/$program ]] || aim_die "$build_dir/bin/$program is not there; build it first"
    done
    ensure_api_keys
    start_everything
    is_ready=1
    say_ready
    ((!worker)) || say_where health-worker "$worker_host" "$HEALTH_WORKER_PORT"
    [[ -z $telegram_token ]] || say_where telegram-bot "$bot_host" "$TELEGRAM_BOT_PORT"
    wait_for_the_end
}

heed_interrupts "$@"
main "$@"
