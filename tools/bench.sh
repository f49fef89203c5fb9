#!/usr/bin/env bash
# Measures the gateway beside nginx in one run on loopback: CPU a request (plain and HTTPS upstream), added latency, streams, memory,
# start time, ledger rate. Prints a table and writes bench-results.json into the current folder.
#
#   tools/bench.sh [--quick] [--build-dir DIR] [--no-gateway] [--rounds N] [--seconds T] [--only PARTS]
#
#   --quick           short rounds: a look, no verdict
#   --build-dir DIR   take the programs from DIR as they are (default: build the preset `bench` in build/bench)
#   --no-gateway      nginx and the fake provider only
#   --rounds N        rounds of each kind, their median counts (default 5, with --quick 3)
#   --seconds T       length of a round (default 6, with --quick 2)
#   --only PARTS      some of start,cpu,latency,streams,ledger; what is left out is a dash in the table
#
# With two cores or more the gateway and nginx have core 0, the fake provider and the load generator core 1.
set -euo pipefail
AIM_PROGRAM=bench.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

readonly CONNECTIONS=64 STREAMS=1000 DELTAS=64 DELTA_MS=20 MODELS=100
readonly API_KEY_OF_BENCH=bench-api-key WARM_UP=0.5
rounds="" seconds="" build_dir="" gateway=1 quick=0 parts=start,cpu,latency,streams,ledger
work="" run_pid="" business_pid="" data_pid="" nginx_worker="" probe_pid=""
children=()
declare -A results=() # name -> number, what goes into the JSON
result_names=()

# --- small tools -----------------------------------------------------------------------------------------------------------

# field JSON NAME: a number of a flat JSON object.
field() { sed -n "s/.*\"$2\":\(-\{0,1\}[0-9.]*\).*/\1/p" <<<"$1"; }

median() { printf '%s\n' "$@" | sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# calc EXPRESSION: `nan` never reaches the JSON.
calc() { awk "BEGIN {value = $1; printf \"%.4g\", value}" 2>/dev/null || printf 'null'; }

keep() {
    results[$1]=$2
    result_names+=("$1")
}

# wait_until SECONDS COMMAND...: polls until the command succeeds.
wait_until() {
    local deadline=$(($(aim_now_ms) + $1 * 1000))
    shift
    until "$@" 2>/dev/null; do
        (($(aim_now_ms) < deadline)) || return 1
        sleep 0.02
    done
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port that nobody listens on, outside the range from which the kernel takes ports for outgoing connections.
free_port() {
    local port
    while :; do
        port=$((10000 + (RANDOM * 32768 + RANDOM) % 20000))
        [[ " ${used_ports:-} " == *" $port "* ]] || port_open "$port" || break
    done
    used_ports="${used_ports:-} $port"
    chosen_port=$port
}

# ready URL_PORT: asks /ready without starting a program; succeeds on 200.
ready() {
    local line=""
    exec 4<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&4
    IFS= read -r -t 2 line <&4 || true
    exec 4<&- 4>&-
    [[ $line == HTTP/1.1\ 200* ]]
}

# cpu_us PID: user and system time of all its threads so far, in microseconds.
cpu_us() {
    local stat
    stat=$(<"/proc/$1/stat")
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    printf '%s\n' "$(((${12} + ${13}) * 1000000 / $(getconf CLK_TCK)))"
}

rss_kib() { awk '/^VmRSS:/ {print $2}' "/proc/$1/status"; }

# Prefixes, not functions: what is started in the background must be the very process that $! names.
measured_core=()
other_core=()
if (($(nproc) >= 2)); then
    measured_core=(taskset -c 0)
    other_core=(taskset -c 1)
fi

# --- what runs ---------------------------------------------------------------------------------------------------------------

stop_all() {
    local pid
    trap '' INT TERM
    [[ -z $probe_pid ]] || kill "$probe_pid" 2>/dev/null || true
    if [[ -n $run_pid ]]; then
        kill -s TERM "$run_pid" 2>/dev/null || true
        wait "$run_pid" 2>/dev/null || true
    fi
    [[ ! -s $work/nginx/nginx.pid ]] || kill -s QUIT "$(<"$work/nginx/nginx.pid")" 2>/dev/null || true
    for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    [[ -z $work ]] || rm -rf -- "$work"
}

# start_fake_provider PORT_FILE [ARGUMENT...]
start_fake_provider() {
    local port_file=$1
    shift
    "${other_core[@]}" "$build_dir/bin/fake_provider" --port-file "$port_file" "$@" >/dev/null &
    children+=($!)
    wait_until 10 test -s "$port_file" || aim_die "the fake provider does not start"
}

start_nginx() {
    local nginx master
    nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || aim_die "nginx is not installed (apt-get install nginx-light)"
    mkdir -p "$work/nginx"
    free_port
    nginx_port=$chosen_port
    sed -e "s|@PREFIX@|$work/nginx|g" -e "s|@PORT@|$nginx_port|g" -e "s|@UPSTREAM_PORT@|$provider_port|g" \
        -e "s|@UPSTREAM_TLS_PORT@|$provider_tls_port|g" -e "s|@AUTHORITY@|$work/tls/ca.pem|g" \
        "$AIM_ROOT/deploy/nginx/bench.conf.template" >"$work/nginx/nginx.conf"
    "${measured_core[@]}" "$nginx" -p "$work/nginx" -e "$work/nginx/error.log" -c "$work/nginx/nginx.conf" ||
        aim_die "nginx does not start"
    wait_until 10 port_open "$nginx_port" || aim_die "nginx does not listen"
    master=$(<"$work/nginx/nginx.pid")
    worker_known() { nginx_worker=$(cut -d ' ' -f 1 "/proc/$master/task/$master/children") && [[ -n $nginx_worker ]]; }
    wait_until 5 worker_known || aim_die "nginx has no worker"
}

# The variables under which the gateway is measured: production settings, with limits set high.
gateway_environment() {
    printf '%s\n' "API_KEY=$API_KEY_OF_BENCH" "GROQ_API_KEY=bench-key" RATE_LIMIT_PER_MINUTE=100000000 \
        "SSL_CERT_FILE=$work/tls/ca.pem" LOG_LEVEL=INFO "PLUGIN_PATH=$build_dir/plugins"
}

clean_environment() {
    local name
    for name in SECRET_HOSTS DATABASE_URL POSTGRES_HOST DATA_API_TOKEN MASTER_KEY DATA_API_URL HTTP_PROXY HTTPS_PROXY http_proxy \
        https_proxy ALL_PROXY all_proxy; do unset "$name"; done
}

pid_of() { cut -d ' ' -f 1 "$work/state/run/$1.pid"; }

start_gateway() {
    local assignment pid
    free_port
    business_port=$chosen_port
    free_port
    data_port=$chosen_port
    clean_environment
    while IFS= read -r assignment; do export "${assignment?}"; done < <(gateway_environment)
    AIM_STATE_DIR=$work/state BUSINESS_API_PORT=$business_port DATA_API_PORT=$data_port \
        "${measured_core[@]}" "$AIM_ROOT/tools/run.sh" --build-dir "$build_dir" --no-install --no-build >"$work/run.log" 2>&1 &
    run_pid=$!
    stack_ready() { grep -q '^AI Manager is ready:' "$work/run.log" || ! kill -0 "$run_pid"; }
    wait_until 120 stack_ready || true
    grep -q '^AI Manager is ready:' "$work/run.log" || aim_die "the gateway does not start: $(tail -n 20 "$work/run.log")"
    business_pid=$(pid_of business-api)
    data_pid=$(pid_of data-api)
    # Only the gateway stays on core 0 alone; the data API and the database take what is free.
    for pid in "$data_pid" "$(pid_of postgres)" $(cat "/proc/$(pid_of postgres)/task/"*/children); do
        taskset -a -p -c "0-$(($(nproc) - 1))" "$pid" >/dev/null 2>&1 || true
    done
}

# post_model NAME ENDPOINT
post_model() {
    curl -fsS --noproxy '*' -o /dev/null "http://127.0.0.1:$data_port/api/v1/models" -H 'Content-Type: application/json' \
        -d "{\"name\":\"$1\",\"provider\":\"groq\",\"endpoint\":\"$2\"}" || aim_die "the model $1 could not be added"
}

# answers MODEL: the gateway answers with this very model.
answers() {
    curl -fsS --noproxy '*' -D - -o /dev/null "http://127.0.0.1:$business_port/v1/chat/completions" \
        -H "Authorization: Bearer $API_KEY_OF_BENCH" -H 'Content-Type: application/json' \
        -d "{\"model\":\"$1\",\"fallback\":false,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}" |
        grep -qi "^x-aimanager-model: $1"
}

add_models() {
    local number
    post_model bench "http://127.0.0.1:$provider_port/openai/v1"
    post_model bench-stream "http://127.0.0.1:$provider_port/openai/v1"
    post_model bench-tls "https://localhost:$provider_tls_port/openai/v1"
    for ((number = 4; number <= MODELS; ++number)); do
        post_model "filler-$number" "http://127.0.0.1:$provider_port/openai/v1"
    done
    local model
    for model in bench bench-tls; do
        wait_until 15 answers "$model" || aim_die "the gateway does not answer with the model $model"
    done
}

# --- measurements ------------------------------------------------------------------------------------------------------------

# load WHO MODEL ARGUMENT...: one run of the load generator; WHO is direct, nginx or gateway.
load() {
    local who=$1 model=$2 url path=plain
    shift 2
    [[ $model != bench-tls ]] || path=secure
    [[ $model != bench-stream ]] || path=stream
    case $who in
        direct) url=http://127.0.0.1:$provider_port/openai/v1/chat/completions ;;
        nginx) url=http://127.0.0.1:$nginx_port/$path/v1/chat/completions ;;
        gateway) url=http://127.0.0.1:$business_port/v1/chat/completions ;;
    esac
    "${other_core[@]}" "$build_dir/bin/bench_load" --url "$url" --model "$model" \
        --header "Authorization: Bearer $API_KEY_OF_BENCH" "$@" ||
        aim_say "$who with $model: not every answer was good"
}

pid_of_role() { if [[ $1 == nginx ]]; then printf '%s\n' "$nginx_worker"; else printf '%s\n' "$business_pid"; fi; }

# cpu_round WHO MODEL: adds "<us per request> <requests/s>" of one run to the array that belongs to both.
cpu_round() {
    local pid before after line requests
    pid=$(pid_of_role "$1")
    before=$(cpu_us "$pid")
    line=$(load "$1" "$2" --connections "$CONNECTIONS" --seconds "$seconds" --warm-up "$WARM_UP")
    after=$(cpu_us "$pid")
    requests=$(field "$line" all_requests)
    [[ ${requests:-0} -gt 0 ]] || aim_die "$1 with $2 answered nothing: $line"
    errors=$((errors + $(field "$line" errors)))
    printf '%s %s\n' "$(calc "($after - $before) / $requests")" "$(field "$line" requests_per_second)" >>"$work/cpu.$1.$2"
}

# column FILE N: the median of a column.
column() {
    local -a values
    mapfile -t values < <(cut -d ' ' -f "$2" "$work/$1")
    median "${values[@]}"
}

measure_cpu() {
    local model who round name
    errors=0
    for model in bench bench-tls; do
        for ((round = 0; round < rounds; ++round)); do
            for who in "${roles[@]}"; do cpu_round "$who" "$model"; done
        done
        name=plain
        [[ $model == bench ]] || name=tls
        for who in "${roles[@]}"; do
            keep "${who}_cpu_us_per_request_$name" "$(column "cpu.$who.$model" 1)"
            keep "${who}_requests_per_second_$name" "$(column "cpu.$who.$model" 2)"
        done
        ((gateway)) || continue
        local suffix=""
        [[ $name == plain ]] || suffix=_tls
        keep "cpu_ratio_to_nginx$suffix" \
            "$(calc "${results[gateway_cpu_us_per_request_$name]} / ${results[nginx_cpu_us_per_request_$name]}")"
    done
    keep load_errors "$errors"
}

measure_latency() {
    local who round line
    for ((round = 0; round < rounds; ++round)); do
        for who in direct "${roles[@]}"; do
            line=$(load "$who" bench --connections 1 --seconds "$seconds" --warm-up "$WARM_UP")
            printf '%s %s\n' "$(field "$line" p50_us)" "$(field "$line" p99_us)" >>"$work/latency.$who"
        done
    done
    for who in direct "${roles[@]}"; do
        keep "${who}_latency_p50_us" "$(column "latency.$who" 1)"
        keep "${who}_latency_p99_us" "$(column "latency.$who" 2)"
    done
    for who in "${roles[@]}"; do
        keep "${who}_added_latency_p50_us" "$(calc "${results[${who}_latency_p50_us]} - ${results[direct_latency_p50_us]}")"
        keep "${who}_added_latency_p99_us" "$(calc "${results[${who}_latency_p99_us]} - ${results[direct_latency_p99_us]}")"
    done
}

# Writes the highest memory use of the process into the file until it is killed.
watch_memory() {
    local highest=0 now
    while now=$(rss_kib "$1" 2>/dev/null) && [[ -n $now ]]; do
        if ((now > highest)); then
            highest=$now
            printf '%s\n' "$highest" >"$2"
        fi
        sleep 0.1
    done
}

measure_streams() {
    local who pid before memory line watcher
    curl -fsS --noproxy '*' -o /dev/null "http://127.0.0.1:$provider_port/__control/script" -d "{\"match\":{\"model\":\"bench-stream\"},
        \"steps\":[{\"chunks\":$DELTAS,\"text\":\"$(printf 'token %03d ' {1..64})\",\"chunk_delay_ms\":$DELTA_MS}],\"repeat_last\":true}"
    for who in "${roles[@]}"; do
        pid=$(pid_of_role "$who")
        memory=$(rss_kib "$pid")
        printf '%s\n' "$memory" >"$work/memory.$who"
        watch_memory "$pid" "$work/memory.$who" &
        watcher=$!
        before=$(cpu_us "$pid")
        line=$(load "$who" bench-stream --stream --connections "$STREAMS" --deltas "$DELTAS")
        keep "${who}_stream_cpu_us_per_delta" "$(calc "($(cpu_us "$pid") - $before) / ($STREAMS * $DELTAS)")"
        kill "$watcher" 2>/dev/null || true
        wait "$watcher" 2>/dev/null || true
        keep "${who}_streams_complete" "$(field "$line" complete)"
        keep "${who}_streams_lost" "$(field "$line" lost)"
        keep "${who}_streams_incomplete" "$(field "$line" incomplete)"
        keep "${who}_streams_stalled" "$(field "$line" stalled)"
        keep "${who}_stream_longest_gap_ms" "$(field "$line" longest_stall_ms)"
        keep "${who}_stream_kib_each" "$(calc "($(<"$work/memory.$who") - $memory) / $STREAMS")"
    done
    ((!gateway)) || keep stream_cpu_ratio_to_nginx \
        "$(calc "${results[gateway_stream_cpu_us_per_delta]} / ${results[nginx_stream_cpu_us_per_delta]}")"
}

# A second business API beside the first, with the 100 models in the data API and no catalogue on disk.
measure_start() {
    local times=() round start port
    for ((round = 0; round < rounds; ++round)); do
        free_port
        port=$chosen_port
        rm -rf -- "$work/state2"
        mkdir -p "$work/state2/plugins"
        start=${EPOCHREALTIME/[.,]/}
        env BUSINESS_API_PORT="$port" DATA_API_URL="http://127.0.0.1:$data_port" AIM_STATE_DIR="$work/state2" \
            "$build_dir/bin/aimanager-business-api" >"$work/second.log" 2>&1 &
        probe_pid=$!
        until ready "$port" 2>/dev/null; do
            kill -0 "$probe_pid" 2>/dev/null || aim_die "a second business API does not start: $(tail -n 5 "$work/second.log")"
            ((${EPOCHREALTIME/[.,]/} - start < 20000000)) || aim_die "a second business API is not ready after 20 s"
            sleep 0.001
        done
        times+=("$(calc "(${EPOCHREALTIME/[.,]/} - $start) / 1000")")
        kill "$probe_pid"
        wait "$probe_pid" 2>/dev/null || true
        probe_pid=""
    done
    keep start_to_ready_ms "$(median "${times[@]}")"
}

# Outcomes by the fives of hundred, eight clients at once.
measure_ledger() {
    local model_id batches=40 records=500 start applied
    model_id=$(curl -fsS --noproxy '*' "http://127.0.0.1:$data_port/api/v1/models/best" |
        sed -n 's/.*"id": *"\([0-9a-f-]*\)".*/\1/p')
    [[ -n $model_id ]] || aim_die "the data API names no best model"
    mkdir -p "$work/ledger"
    awk -v batches="$batches" -v records="$records" -v model="$model_id" -v ms="$(aim_now_ms)" -v folder="$work/ledger" \
        -v at="$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" 'BEGIN {
        high = int(ms / 65536); low = ms % 65536
        for (b = 0; b < batches; ++b) {
            file = folder "/" b ".json"
            printf "{\"history\":[],\"outcomes\":[" > file
            for (r = 0; r < records; ++r) {
                id = sprintf("%08x-%04x-7%03x-8000-%012x", high, low, b, b * records + r + 1)
                printf "%s{\"id\":\"%s\",\"request_id\":\"%s\",\"model_id\":\"%s\",\"provider\":\"groq\",\"outcome\":\"success\"," \
                    "\"counts\":true,\"response_time_ms\":12,\"first_content_ms\":null,\"prompt_tokens\":8,\"completion_tokens\":6," \
                    "\"cost\":null,\"source\":\"prompt\",\"occurred_at\":\"%s\"}", (r ? "," : ""), id, id, model, at > file
            }
            printf "]}" > file
            close(file)
        }
    }'
    start=${EPOCHREALTIME/[.,]/}
    find "$work/ledger" -name '*.json' -print0 | xargs -0 -P 8 -I '{}' curl -sS --noproxy '*' -o '{}.answer' \
        -H 'Content-Type: application/json' -d '@{}' "http://127.0.0.1:$data_port/api/v1/ledger" || true
    keep ledger_outcomes_per_second "$(calc "$batches * $records / ((${EPOCHREALTIME/[.,]/} - $start) / 1000000)")"
    applied=$(cat "$work"/ledger/*.answer | grep -o '"applied": *[0-9]*' | awk -F : '{sum += $2} END {print sum + 0}')
    keep ledger_lost "$((batches * records - applied))"
}

# --- report ------------------------------------------------------------------------------------------------------------------

# row LABEL NGINX GATEWAY RATIO BUDGET
row() { printf '%-44s %12s %12s %12s   %s\n' "$@"; }

value() { printf '%s' "${results[$1]:--}"; }

print_table() {
    local name suffix
    row "" nginx gateway ratio budget
    for name in plain tls; do
        suffix=""
        [[ $name == plain ]] || suffix=_tls
        row "CPU a request, $name upstream (us)" "$(value nginx_cpu_us_per_request_$name)" \
            "$(value gateway_cpu_us_per_request_$name)" "$(value cpu_ratio_to_nginx$suffix)" "ratio <= 2.0"
        row "requests/s at $CONNECTIONS connections, $name" "$(value nginx_requests_per_second_$name)" \
            "$(value gateway_requests_per_second_$name)" "" ""
    done
    for name in p50 p99; do
        row "added latency, 1 connection, $name (us)" "$(value nginx_added_latency_${name}_us)" \
            "$(value gateway_added_latency_${name}_us)" "" "<= $([[ $name == p50 ]] && echo 100 || echo 250)"
    done
    row "streams complete of $STREAMS" "$(value nginx_streams_complete)" "$(value gateway_streams_complete)" "" "$STREAMS"
    row "streams lost / incomplete" "$(value nginx_streams_lost) / $(value nginx_streams_incomplete)" \
        "$(value gateway_streams_lost) / $(value gateway_streams_incomplete)" "" "0 / 0"
    row "streams stalled over 200 ms" "$(value nginx_streams_stalled)" "$(value gateway_streams_stalled)" "" 0
    row "longest gap between deltas (ms)" "$(value nginx_stream_longest_gap_ms)" "$(value gateway_stream_longest_gap_ms)" "" "<= 200"
    row "CPU a delta (us)" "$(value nginx_stream_cpu_us_per_delta)" "$(value gateway_stream_cpu_us_per_delta)" \
        "$(value stream_cpu_ratio_to_nginx)" "ratio <= 2"
    row "memory a stream (KiB)" "$(value nginx_stream_kib_each)" "$(value gateway_stream_kib_each)" "" "<= 20"
    row "resident memory, idle (MiB)" "" "$(value gateway_rss_idle_mib)" "" "<= 30"
    row "resident memory, after load (MiB)" "" "$(value gateway_rss_after_load_mib)" "" "<= 60"
    row "start to /ready, $MODELS models (ms)" "" "$(value start_to_ready_ms)" "" "<= 100"
    row "ledger, outcomes/s into PostgreSQL" "" "$(value ledger_outcomes_per_second)" "" ">= 10000"
    row "wrong answers under load" "" "$(value load_errors)" "" 0
}

write_json() {
    local name separator=""
    {
        printf '{"measured_at":"%s","cores":%s,"rounds":%s,"seconds_a_round":%s,"quick":%s,"figures":{' \
            "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(nproc)" "$rounds" "$seconds" "$( ((quick)) && echo true || echo false)"
        for name in "${result_names[@]}"; do
            printf '%s\n  "%s":%s' "$separator" "$name" "${results[$name]:-null}"
            separator=,
        done
        printf '\n}}\n'
    } >bench-results.json.new
    mv -f bench-results.json.new bench-results.json
}

# --- the run -----------------------------------------------------------------------------------------------------------------

read_arguments() {
    while (($#)); do
        case $1 in
            --quick) quick=1 ;;
            --no-gateway) gateway=0 ;;
            --build-dir | --rounds | --seconds | --only)
                [[ -n ${2:-} ]] || aim_die "$1 needs a value"
                case $1 in
                    --build-dir) build_dir=$(aim_absolute "$2") ;;
                    --rounds) rounds=$2 ;;
                    --seconds) seconds=$2 ;;
                    --only) parts=$2 ;;
                esac
                shift
                ;;
            -h | --help)
                aim_help "${BASH_SOURCE[0]}"
                exit 0
                ;;
            *) aim_die "unknown option $1 (see --help)" ;;
        esac
        shift
    done
    : "${rounds:=$((quick ? 3 : 5))}" "${seconds:=$((quick ? 2 : 6))}"
    [[ $rounds =~ ^[1-9][0-9]*$ && $seconds =~ ^[0-9.]+$ ]] || aim_die "--rounds and --seconds are numbers"
    local part
    for part in ${parts//,/ }; do
        [[ ,start,cpu,latency,streams,ledger, == *",$part,"* ]] || aim_die "--only does not know $part"
    done
}

wanted() { [[ ,$parts, == *",$1,"* ]]; }

build_programs() {
    [[ -z $build_dir ]] || return 0
    local -a targets=(fake_provider make_test_certificate bench_load)
    ((!gateway)) || targets+=(services/all plugins/all)
    build_dir=$AIM_ROOT/build/bench
    aim_build bench "$build_dir" "${targets[@]}" || aim_die "the build failed"
}

main() {
    read_arguments "$@"
    build_programs
    roles=(nginx)
    ((!gateway)) || roles+=(gateway)
    work=$(mktemp -d "${TMPDIR:-/tmp}/aim-bench.XXXXXX")
    chmod 755 "$work" # the database and nginx's worker run as other users under root
    trap stop_all EXIT
    trap 'exit 130' INT TERM
    ulimit -n "$(ulimit -H -n)"

    "$build_dir/bin/make_test_certificate" "$work/tls"
    start_fake_provider "$work/port"
    start_fake_provider "$work/tls_port" --tls-cert "$work/tls/cert.pem" --tls-key "$work/tls/key.pem"
    provider_port=$(<"$work/port")
    provider_tls_port=$(<"$work/tls_port")
    start_nginx
    if ((gateway)); then
        start_gateway
        add_models
        keep gateway_rss_idle_mib "$(calc "$(rss_kib "$business_pid") / 1024")"
    fi
    if ((gateway)) && wanted start; then
        aim_say "start time"
        measure_start
    fi
    if wanted cpu; then
        aim_say "CPU a request, $rounds rounds of $seconds s each"
        measure_cpu
    fi
    if wanted latency; then
        aim_say "latency"
        measure_latency
    fi
    if wanted streams; then
        aim_say "streams"
        measure_streams
    fi
    ((!gateway)) || keep gateway_rss_after_load_mib "$(calc "$(rss_kib "$business_pid") / 1024")"
    if ((gateway)) && wanted ledger; then
        aim_say "ledger"
        measure_ledger
    fi
    print_table
    write_json
}

main "$@"
