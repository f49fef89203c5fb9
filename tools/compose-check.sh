#!/usr/bin/env bash
# Brings docker-compose.yml up with an engine of this machine and walks the acceptance points that containers can show; takes all down again.
#
#   tools/compose-check.sh [--keep] [--no-build]
#
#   --keep       leave it running
#   --no-build   take the images as they are
#
# Needs a container engine that runs here and Compose for it (docker compose, docker-compose). Its own project, volumes and ports; it refuses
# to start while containers of these names exist. Exit codes: 0 good, 1 a point failed, 3 no engine can be used here.
set -euo pipefail
AIM_PROGRAM="compose-check.sh"
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

readonly NO_ENGINE=3
readonly -a NAMES=(ai_manager_postgres aimanager_data_postgres_api aimanager_business_api aimanager_health_worker aimanager_telegram_bot
    aimanager_nginx)
keep=0
build=1
points=0
bad=0

no_engine() {
    aim_say "$*"
    exit "$NO_ENGINE"
}

find_engine() {
    if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
        engine=docker
    elif command -v podman >/dev/null && podman info >/dev/null 2>&1; then
        engine=podman
        # Compose speaks to podman by docker's protocol.
        [[ -n ${DOCKER_HOST:-} ]] || no_engine "podman is here, but DOCKER_HOST does not name its socket (podman system service)"
    else
        no_engine "no container engine runs here (neither docker nor podman answers)"
    fi
    if docker compose version >/dev/null 2>&1; then
        compose=(docker compose)
    elif command -v docker-compose >/dev/null; then
        compose=(docker-compose)
    else
        no_engine "Compose is not installed (docker compose, docker-compose)"
    fi
}

# point NUMBER SENTENCE COMMAND...: runs the command and prints what came of it.
point() {
    local number=$1 sentence=$2
    shift 2
    points=$((points + 1))
    if "$@" >"$work/point" 2>&1; then
        printf '%-5s ok      %s\n' "$number" "$sentence"
    else
        printf '%-5s FAILED  %s\n' "$number" "$sentence"
        sed 's/^/              /' "$work/point" | tail -n 8
        bad=$((bad + 1))
    fi
}

state() { "$engine" inspect -f "$2" "$1" 2>/dev/null; }
health() { state "$1" '{{.State.Health.Status}}'; }

# within SECONDS COMMAND...
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 1
    done
}

is_healthy() { [[ $(health "$1") == healthy ]]; }
all_healthy() {
    local name
    for name in "${NAMES[@]}"; do
        [[ $name == aimanager_telegram_bot ]] || within 180 is_healthy "$name" || {
            echo "$name: $(health "$name")"
            "$engine" logs --tail 20 "$name"
            return 1
        }
    done
}
bot_rests() { [[ $(state aimanager_telegram_bot '{{.State.Status}} {{.State.ExitCode}}') == "exited 0" ]]; }
no_root() {
    local name
    for name in "${NAMES[@]}"; do
        [[ $(state "$name" '{{.Config.User}}') =~ ^(aimanager|postgres)$ && $(state "$name" '{{.HostConfig.ReadonlyRootfs}}') == true ]] || {
            echo "$name"
            return 1
        }
    done
}
small() {
    local name size
    for name in "${NAMES[@]:1}"; do
        size=$("$engine" image inspect -f '{{.Size}}' "$(state "$name" '{{.Image}}')")
        echo "$name: $((size / 1000000)) MB"
        ((size < 150000000)) || return 1
    done
}
ask() { curl -sS --max-time 60 "$@"; }
status_of() { ask -o /dev/null -w '%{http_code}' "$@"; }
prompt() { ask "$url/api/v1/prompts" -H "X-API-Key: $api_key" -H 'Content-Type: application/json' -d "$1"; }
answers() { prompt "$1" | tee "$work/answer" | grep -q '"response"' || { cat "$work/answer"; return 1; }; }
data() { ask -H "X-API-Key: $data_token" "$data_url$1" "${@:2}"; }
falls_back() {
    data /models -H 'Content-Type: application/json' \
        -d '{"name":"always-fails","provider":"mock","endpoint":"mock://x","settings":{"error_rate":1}}' >/dev/null
    within 20 grep -q always-fails <(ask "$url/api/v1/models") || return 1
    answers '{"prompt":"Hello","model":"always-fails"}' && grep -q '"attempts":\[{"model":"always-fails"' "$work/answer"
}
stored() { data '/history?limit=200' | grep -q "compose-check-$$"; }
# reliability_score = success_rate * 0.6 + max(0, 100 - average / 50) * 0.4, to two decimals, for every model that was asked.
formula() {
    data /models | tr '{' '\n' | grep '"total_requests"' | awk -F'[,:}]' '{
        for (i = 1; i < NF; i++) { gsub(/"/, "", $i); value[$i] = $(i + 1) }
        if (value["total_requests"] == 0) next
        speed = 100 - value["avg_response_time_ms"] / 50; if (speed < 0) speed = 0
        score = value["successful_requests"] / value["total_requests"] * 60 + speed * 0.4
        gap = score - value["reliability_score"]; if (gap < 0) gap = -gap
        if (gap > 0.02) { print value["name"], score, value["reliability_score"]; exit 1 }
    }'
}
asked_before() { "$engine" logs aimanager_health_worker 2>&1 | grep -q 'round'; }
streams() {
    ask -N "$url/v1/chat/completions" -H "Authorization: Bearer $api_key" -H 'Content-Type: application/json' \
        -d '{"model":"auto","stream":true,"messages":[{"role":"user","content":"Hi"}]}' | grep -q '^data: \[DONE\]'
}

finish() {
    local code=$?
    ((keep)) || "${compose[@]}" -p "$project" down -v --remove-orphans >/dev/null 2>&1 || true
    rm -rf -- "$work"
    exit "$code"
}

main() {
    while (($#)); do
        case $1 in
            --keep) keep=1 ;;
            --no-build) build=0 ;;
            -h | --help)
                aim_help "${BASH_SOURCE[0]}"
                return 0
                ;;
            *) aim_die "unknown option $1 (see --help)" ;;
        esac
        shift
    done
    find_engine
    local name
    for name in "${NAMES[@]}"; do
        [[ -z $(state "$name" '{{.Id}}') ]] || aim_die "a container $name exists already; stop it first"
    done
    project=aimcheck$$
    work=$(mktemp -d "${TMPDIR:-/tmp}/aim-compose.XXXXXX")
    trap finish EXIT
    trap 'exit 130' INT TERM
    cd -- "$AIM_ROOT"
    unset API_KEY DATA_API_TOKEN MASTER_KEY DATABASE_URL POSTGRES_HOST TELEGRAM_BOT_TOKEN
    : "${PUBLIC_PORT:=18000}" "${DATA_API_PORT:=18001}"
    # Not the .env of this tree: what is checked is what a new user gets.
    export PUBLIC_PORT DATA_API_PORT PUBLIC_ADDRESS=127.0.0.1 RATE_LIMIT_PER_MINUTE=0 PLUGIN_DROP_FOLDER=$work/plugins
    url=http://127.0.0.1:$PUBLIC_PORT data_url=http://127.0.0.1:$DATA_API_PORT
    install -d -m 755 -- "$work/plugins"
    : >"$work/env"
    compose+=(--env-file "$work/env")
    if ((build)); then "${compose[@]}" -p "$project" build || aim_die "the images cannot be built"; fi

    point 1 "everything starts with one command" "${compose[@]}" -p "$project" up -d --no-build
    point 2 "all services are healthy" all_healthy
    api_key=$("$engine" exec aimanager_business_api cat /run/aimanager/api_key || true)
    data_token=$("$engine" exec aimanager_data_postgres_api cat /run/aimanager/data_api_token || true)
    point 3 "migrations and seed were applied" grep -q '"llama' <(data /models)
    point 4-6 "without a token the bot ends well, and nothing else minds" within 30 bot_rests
    point 7 "Swagger UI is at /docs" grep -qi 'swagger-ui' <(ask "$url/docs")
    point 8 "a prompt is answered" answers "{\"prompt\":\"Hello\",\"user_id\":\"compose-check-$$\"}"
    point 8a "and not without a key" test "$(status_of "$url/api/v1/prompts" -H 'Content-Type: application/json' -d '{"prompt":"x"}')" = 401
    point 8b "a stream passes nginx" streams
    point 9 "the models are listed with ratings" grep -q '"reliability_score"' <(ask "$url/api/v1/models")
    point 10 "CORS preflight passes" grep -qi '^access-control-allow-origin' \
        <(ask -i -X OPTIONS "$url/api/v1/prompts" -H 'Origin: https://example.org' -H 'Access-Control-Request-Method: POST')
    point 11-13 "the health worker made its first round at its start" within 60 asked_before
    point 14-15 "a failing model is fallen back from" falls_back
    point 16 "ratings move with every prompt" grep -q '"total_requests":[1-9]' <(ask "$url/api/v1/models")
    point 17 "prompts are in the history" within 20 stored
    point 18-19 "scores follow the formula" formula
    point a "nothing runs as root, root file systems are read-only" no_root
    point b "each image is below 150 MB" small
    point c "the data API is closed without its token" test "$(status_of "$data_url/models")" = 401
    printf '%d passed, %d failed\n' $((points - bad)) "$bad"
    ((bad == 0))
}

main "$@"
