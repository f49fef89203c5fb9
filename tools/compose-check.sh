#!/usr/bin/env bash
# Brings docker-compose.yml up with an engine of this machine and walks the acceptance points that containers can show, then what an operator
# does to them (restarts, kills, a second business API, a plugin dropped in); takes all down again.
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
readonly SECOND=aimanager_business_api_2
# What of the environment the build may keep: where images and packages come from.
readonly SOURCES=' AIM_IMAGE_PREFIX AIM_VERSION AIM_PULL_POLICY DEBIAN_IMAGE POSTGRES_IMAGE DEBIAN_MIRROR NPM_CONFIG_REGISTRY PIP_INDEX_URL PUBLIC_PORT DATA_API_PORT '
keep=0
build=1
points=0
bad=0
skipped=0

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
        local socket=${DOCKER_HOST:-}
        [[ -S ${socket#unix://} ]] || no_engine "podman is here, but DOCKER_HOST does not name its socket (podman system service)"
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

# finds PATTERN COMMAND...: the command's output has the pattern; else it is shown. Read to its end: a pipe into grep -q would break off.
finds() {
    local pattern=$1 output
    shift
    output=$("$@" 2>&1) || {
        printf '%s\n' "$output"
        return 1
    }
    grep -qiE -- "$pattern" <<<"$output" || {
        printf 'no %s in: %s\n' "$pattern" "${output:0:1000}"
        return 1
    }
}
gives() {
    local wanted=$1 got
    shift
    got=$("$@") || true
    [[ $got == "$wanted" ]] || {
        printf 'expected %s, got %s\n' "$wanted" "$got"
        return 1
    }
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
megabytes() { echo $(($("$engine" image inspect -f '{{.Size}}' "$(state "$1" '{{.Image}}')") / 1000000)); }
small() {
    local name
    for name in "${NAMES[@]:1}"; do
        echo "$name: $(megabytes "$name") MB"
        (($(megabytes "$name") < 150)) || return 1
    done
}
ask() { curl -sS --max-time 60 "$@"; }
status_of() { ask -o /dev/null -w '%{http_code}' "$@"; }
data() { ask -H "X-API-Key: $data_token" "$data_url$1" "${@:2}"; }
models() { ask "$url/api/v1/models"; }
prompt() { ask "$url/api/v1/prompts" -H "X-API-Key: $api_key" -H 'Content-Type: application/json' -d "$1"; }
read_secrets() {
    api_key=$("$engine" exec aimanager_business_api cat /run/aimanager/api_key || true)
    data_token=$("$engine" exec aimanager_data_postgres_api cat /run/aimanager/data_api_token || true)
}
# The browser's page and the two files that it is made of; without them /docs is a plain list.
has_swagger() {
    finds 'swagger-ui' ask "$url/docs" && gives 200 status_of "$url/docs/swagger-ui-bundle.js" && gives 200 status_of "$url/docs/swagger-ui.css"
}
# create NAME SETTINGS [FIELDS]: a model of the mock, unless FIELDS say another provider.
create() {
    local fields=${3:-'"provider":"mock","endpoint":"mock://x"'}
    finds '"id"' data /models -H 'Content-Type: application/json' -d "{\"name\":\"$1\",\"settings\":$2,$fields}" && within 20 finds "\"$1\"" models
}
falls_back() {
    create always-fails '{"error_rate":1}' && finds '"response".*"attempts":\[\{"model":"always-fails"' prompt '{"prompt":"Hello","model":"always-fails"}'
}
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
stream() {
    ask -N "$url/v1/chat/completions" -H "Authorization: Bearer $api_key" -H 'Content-Type: application/json' \
        -d "{\"model\":\"$1\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"
}

# --- what an operator does -----------------------------------------------------------------------------------------------

# flow TAG COMMAND...: prompts go through nginx one after the other while the command runs, and for two seconds more. Leaves how many were
# answered in `answered`, how many were not in `unanswered`.
flow() {
    local tag=$1 running code i=0 last=0
    shift
    "$@" >"$work/flow.command" 2>&1 &
    running=$!
    answered=0 unanswered=0
    while ((last == 0 || SECONDS < last)); do
        i=$((i + 1))
        code=$(status_of "$url/api/v1/prompts" -H "X-API-Key: $api_key" -H 'Content-Type: application/json' \
            -d "{\"prompt\":\"Hello\",\"model\":\"mock-fast\",\"user_id\":\"$tag-$i\"}" 2>/dev/null) || true
        if [[ $code == 200 ]]; then answered=$((answered + 1)); else unanswered=$((unanswered + 1)); fi
        ((last)) || kill -0 "$running" 2>/dev/null || last=$((SECONDS + 2))
        sleep 0.1
    done
    wait "$running" || {
        cat "$work/flow.command"
        return 1
    }
}
records_of() {
    "$engine" exec ai_manager_postgres sh -c "psql -U \"\$POSTGRES_USER\" -d \"\$POSTGRES_DB\" -XAtc \
        \"SELECT count(DISTINCT user_id) FROM prompt_history WHERE user_id LIKE '$1-%' AND status = 'success'\""
}
has_records() { (($(records_of "$1") >= $2)); }
# What an engine takes for a crash, and restarts: its main process is killed from outside of it.
crash() {
    local name pid
    for name; do
        pid=$(state "$name" '{{.State.Pid}}')
        "${root[@]}" kill -KILL "$pid"
        within 60 is_another "$name" "$pid" && within 60 is_healthy "$name" || return 1
    done
}
is_another() { [[ $(state "$1" '{{.State.Pid}} {{.State.Running}}') =~ ^[1-9][0-9]*\ true$ && ${BASH_REMATCH[0]} != "$2 true" ]]; }
restart() {
    "$engine" restart "$1" >/dev/null
    within 60 is_healthy "$1"
}
# The data API and the database may go at any time without a caller seeing it, and what was answered is recorded.
back_restarts() {
    flow "back-$$" back_goes || return 1
    echo "$answered answered, $unanswered not"
    ((answered > 10 && unanswered == 0)) && within 60 has_records "back-$$" "$answered"
}
back_goes() { restart aimanager_data_postgres_api && restart ai_manager_postgres; }
# A business API that is killed loses what was under way, and no record of what it has answered.
crashes_heal() {
    flow "crash-$$" crash aimanager_data_postgres_api ai_manager_postgres aimanager_business_api aimanager_nginx || return 1
    echo "$answered answered, $unanswered not"
    ((answered > 10)) && within 60 has_records "crash-$$" "$answered"
}
kept_over_down() {
    local before=$api_key records
    records=$(records_of "back-$$")
    "${compose[@]}" -p "$project" down && "${compose[@]}" -p "$project" up -d --no-build && all_healthy || return 1
    read_secrets
    [[ $api_key == "$before" ]] && gives "$records" records_of "back-$$" && finds '"response"' prompt '{"prompt":"Hello"}'
}
# streams_end CONTAINER: a stream of ten seconds ends well although that container is told to stop.
streams_end() {
    local pid
    within 60 is_healthy aimanager_nginx && within 20 finds '"slow"' models || return 1
    stream slow >"$work/stream" 2>&1 &
    pid=$!
    within 20 grep -q '^data: ' "$work/stream" && "$engine" restart -t 45 "$1" >/dev/null || return 1
    wait "$pid"
    grep -q '^data: \[DONE\]' "$work/stream"
}
two_behind_nginx() {
    COMPOSE_PROFILES=two "${compose[@]}" -p "$project" up -d --no-build && within 60 is_healthy "$SECOND" && within 30 both_known || return 1
    flow "two-$$" both_restart || return 1
    echo "$answered answered, $unanswered not"
    ((answered > 10 && unanswered == 0)) && within 60 has_records "two-$$" "$answered"
}
both_known() { [[ $("$engine" exec aimanager_nginx grep -c server /run/aimanager-nginx/servers) == 2 ]]; }
both_restart() { restart aimanager_business_api && sleep 10 && restart "$SECOND"; }
# A plugin of the template, asked through this very gateway: its provider is our own OpenAI path.
plugin_drops_in() {
    mkdir -p -- "$work/made" && "$cc" -std=c11 -O2 -shared -fPIC -fvisibility=hidden -I abi/include -o "$work/made/template_c.so" abi/template/c/plugin.c &&
        "$engine" run --rm --user root --entrypoint /bin/sh -v "$work/made:/made:ro" -v "$work/plugins:/drop" "$(state aimanager_business_api '{{.Image}}')" \
            -c 'install -m 644 /made/template_c.so /drop/.template_c && mv /drop/.template_c /drop/template_c.so' &&
        create dropped '{}' "\"provider\":\"template_c\",\"endpoint\":\"http://aimanager_business_api:8000/v1\",\"upstream_model\":\"mock-fast\",\"api_key\":\"$api_key\"" &&
        within 20 finds '"model_used":\{[^}]*"dropped"' prompt '{"prompt":"Hello","model":"dropped"}'
}
status_knows_all() {
    finds 'health worker +http://aimanager_health_worker:8002 +ready' "$engine" exec aimanager_business_api \
        /usr/lib/aimanager/container/entrypoint.sh aimanager status
}
# Ends at the wrong MASTER_KEY; what it says before is looked at.
warns_of_guessable() {
    local said
    said=$("$engine" run --rm -e API_KEY=change-me-canary -e MASTER_KEY=wrong -e DATA_API_TOKEN=0123456789abcdef -e BOT_API_KEY=0123456789abcdef \
        "$(state aimanager_business_api '{{.Image}}')" 2>&1) && return 1
    [[ $said == *'WARNING: API_KEY'* && $said == *'MASTER_KEY: must be'* && $said != *canary* ]] || {
        echo "$said"
        return 1
    }
}
no_secret_in_logs() {
    local name file value
    for name in "${NAMES[@]}" "$SECOND"; do "$engine" logs "$name"; done >"$work/logs" 2>&1
    for file in api_key bot_api_key data_api_token master_key; do
        value=$("$engine" exec aimanager_business_api cat "/run/aimanager/$file") && [[ -n $value ]] || return 1
        ! grep -qF -- "$value" "$work/logs" || {
            echo "$file"
            return 1
        }
    done
}
memory_suffices() {
    local name
    for name in "${NAMES[@]}"; do
        [[ $(state "$name" '{{.State.OOMKilled}}') == false ]] || {
            echo "$name"
            return 1
        }
    done
}

finish() {
    local code=$?
    ((keep)) || COMPOSE_PROFILES=two "${compose[@]}" -p "$project" down -v --remove-orphans >/dev/null 2>&1 || true
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
    for name in "${NAMES[@]}" "$SECOND"; do
        [[ -z $(state "$name" '{{.Id}}') ]] || aim_die "a container $name exists already; stop it first"
    done
    project=aimcheck$$
    work=$(mktemp -d "${TMPDIR:-/tmp}/aim-compose.XXXXXX")
    trap finish EXIT
    trap 'exit 130' INT TERM
    cd -- "$AIM_ROOT"
    : >"$work/env"
    compose+=(--env-file "$work/env")
    unset COMPOSE_FILE COMPOSE_PROFILES COMPOSE_PROJECT_NAME
    if ((build)); then "${compose[@]}" -p "$project" build || aim_die "the images cannot be built"; fi
    # Not the .env of this tree, nor the caller's keys: what is checked is what a new user gets.
    while read -r name; do [[ $SOURCES == *" $name "* ]] || unset "$name"; done < <(sed -nE 's/^#?([A-Z][A-Z0-9_]+)=.*/\1/p' .env.example)
    : "${PUBLIC_PORT:=18000}" "${DATA_API_PORT:=18001}"
    export PUBLIC_PORT DATA_API_PORT PUBLIC_ADDRESS=127.0.0.1 RATE_LIMIT_PER_MINUTE=0 PLUGIN_DROP_FOLDER=$work/plugins
    url=http://127.0.0.1:$PUBLIC_PORT data_url=http://127.0.0.1:$DATA_API_PORT
    install -d -m 755 -- "$work/plugins"

    point 1 "everything starts with one command" "${compose[@]}" -p "$project" up -d --no-build
    point 2 "all services are healthy" all_healthy
    read_secrets
    point 3 "migrations and seed were applied" finds '"llama' data /models
    point 4-6 "without a token the bot ends well, and nothing else minds" within 30 bot_rests
    point 7 "Swagger UI is at /docs" has_swagger
    point 8 "a prompt is answered" finds '"response"' prompt "{\"prompt\":\"Hello\",\"user_id\":\"first-$$-1\"}"
    point 8a "and not without a key" gives 401 status_of "$url/api/v1/prompts" -H 'Content-Type: application/json' -d '{"prompt":"x"}'
    point 8b "a stream passes nginx" finds '^data: \[DONE\]' stream auto
    point 9 "the models are listed with ratings" finds '"reliability_score"' models
    point 10 "CORS preflight passes" finds '^access-control-allow-origin' \
        ask -i -X OPTIONS "$url/api/v1/prompts" -H 'Origin: https://example.org' -H 'Access-Control-Request-Method: POST'
    point 11-13 "the health worker made its first round at its start" within 60 finds health_round_finished "$engine" logs aimanager_health_worker
    point 14-15 "a failing model is fallen back from" falls_back
    point 16 "ratings move with every prompt" finds '"total_requests":[1-9]' models
    point 17 "prompts are in the history" within 20 has_records "first-$$" 1
    point 18-19 "scores follow the formula" formula
    point a "nothing runs as root, root file systems are read-only" no_root
    point b "each image is below 150 MB ($(for name in "${NAMES[@]:1}"; do printf '%s %s ' "${name#aimanager_}" "$(megabytes "$name")"; done | sed 's/ $//'))" small
    point c "the data API is closed without its token" gives 401 status_of "$data_url/models"
    point d "a key that can be guessed is warned of, and not shown" warns_of_guessable
    point e "\`aimanager status\` in the container sees every process" status_knows_all
    point f "data API and database restart under prompts: all answered, all recorded" back_restarts
    root=()
    ((EUID == 0)) || root=(sudo -n)
    if "${root[@]}" true 2>/dev/null; then
        point g "each is killed under prompts: all heal, no record of an answer is lost" crashes_heal
    else
        skip g "each is killed under prompts (needs root)"
    fi
    point h "down and up: data and keys are kept" kept_over_down
    create slow '{"answer_tokens":100,"tokens_per_second":10}' >/dev/null || true
    point i "a stream under way outlives a restart of nginx" streams_end aimanager_nginx
    point i1 "and of its business API" streams_end aimanager_business_api
    point j "two behind nginx, restarted one after the other: every prompt is answered" two_behind_nginx
    cc=$(command -v cc || command -v gcc || command -v clang-16 || true)
    if [[ -n $cc ]]; then
        point k "a plugin dropped into the folder answers without a restart" plugin_drops_in
    else
        skip k "a plugin dropped into the folder answers (needs a C compiler)"
    fi
    point l "no key of ours in any log" no_secret_in_logs
    point m "nothing was killed for its memory" memory_suffices
    printf '%d passed, %d failed, %d not shown\n' $((points - bad)) "$bad" "$skipped"
    ((bad == 0))
}

skip() {
    printf '%-5s -       %s\n' "$1" "$2"
    skipped=$((skipped + 1))
}

main "$@"
