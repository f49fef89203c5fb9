#!/usr/bin/env bash
# Starts AI Manager with a fake provider behind it, runs the Python and the Node tests against it, stops everything.
#   run_e2e.sh BUILD_DIR [--fetch]      --fetch: only the clients' packages and Swagger UI's files
# The clients' packages are kept in BUILD_DIR/e2e; they are fetched again when their pinned versions change.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)
build=$(cd -- "$1" && pwd)
cache=$build/e2e
mkdir -p -- "$cache"
# Variables of the caller that would lead the services or the clients elsewhere.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY DATABASE_URL POSTGRES_HOST API_KEY DATA_API_URL DATA_API_TOKEN \
    OPENAI_API_KEY OPENAI_BASE_URL
export NO_PROXY='*' no_proxy='*'
installed() { [[ -f $cache/$1.stamp ]] && cmp -s -- "$here/$2" "$cache/$1.stamp"; }
# With the caller's settings for the registries, hence in a shell of its own.
if ! installed python requirements.txt; then
    rm -rf -- "$cache/venv"
    /usr/bin/python3 -m venv "$cache/venv"
    (unset NO_PROXY no_proxy; "$cache/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt")
    cp -- "$here/requirements.txt" "$cache/python.stamp"
fi
if ! installed node package-lock.json; then
    mkdir -p -- "$cache/node"
    cp -- "$here/package.json" "$here/package-lock.json" "$cache/node/"
    (unset NO_PROXY no_proxy; cd -- "$cache/node" && npm ci --silent --no-audit --no-fund)
    cp -- "$here/package-lock.json" "$cache/node.stamp"
fi

# Swagger UI's files, for /docs.
"$root/tools/swagger-ui.sh" "$build"

[[ ${2:-} != --fetch ]] || exit 0

work=$(mktemp -d "${TMPDIR:-/tmp}/aim-e2e.XXXXXX")
pids=()
finish() {
    local status=$? pid
    trap '' INT TERM
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    if ((status)); then
        tail -n 40 -- "$work"/*.out "$work"/state/log/*.log >&2 2>/dev/null || true
    fi
    # Under root the database may be elsewhere.
    "$root/tools/postgres.sh" destroy "$work/state/postgres" >/dev/null 2>&1 || true
    rm -rf -- "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# wait_for FILE PATTERN PID SECONDS
wait_for() {
    local deadline=$((SECONDS + $4))
    until grep -qs -- "$2" "$1"; do
        kill -0 "$3" 2>/dev/null || { echo "run_e2e: $1: its program has ended" >&2; return 1; }
        ((SECONDS < deadline)) || { echo "run_e2e: $1: not ready after $4 s" >&2; return 1; }
        sleep 0.1
    done
}

"$build/bin/fake_provider" --port 0 >"$work/fake.out" 2>&1 &
pids+=($!)
wait_for "$work/fake.out" '^listening ' "$!" 60
fake_port=$(sed -n 's/^listening .*://p' "$work/fake.out")

mapfile -t ports < <(/usr/bin/python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(x.getsockname()[1] for x in s), sep="\n")')
# The seeded rows never reach a provider: the tests switch them off first, and no worker asks them. A key goes to loopback as to the provider's own hosts.
env AIM_STATE_DIR="$work/state" BUSINESS_API_PORT="${ports[0]}" DATA_API_PORT="${ports[1]}" BUSINESS_API_HOST=127.0.0.1 \
    DATA_API_HOST=127.0.0.1 RATE_LIMIT_PER_MINUTE=0 GROQ_API_KEY=gsk_e2e \
    "$root/tools/run.sh" --build-dir "$build" --no-install --no-build --no-worker >"$work/run.out" 2>&1 &
pids+=($!)
wait_for "$work/run.out" 'AI Manager is ready' "$!" 180

export AIM_BUSINESS=http://127.0.0.1:${ports[0]} AIM_DATA=http://127.0.0.1:${ports[1]} AIM_FAKE=http://127.0.0.1:$fake_port
AIM_KEY=$(<"$work/state/api_key")
export AIM_KEY
PYTHONDONTWRITEBYTECODE=1 "$cache/venv/bin/python" "$here/e2e.py"
PYTHONDONTWRITEBYTECODE=1 "$cache/venv/bin/python" "$here/openai_python.py"
# Modules are found beside the file that imports them.
cp -- "$here/openai_node.mjs" "$cache/node/"
node "$cache/node/openai_node.mjs"
node "$here/docs_browser.mjs"
"$root/tools/check_metrics.py" "$AIM_BUSINESS/metrics" "$AIM_DATA/metrics"
PYTHONDONTWRITEBYTECODE=1 "$cache/venv/bin/python" "$here/readme.py" "$build" "$cache/node"
PYTHONDONTWRITEBYTECODE=1 "$cache/venv/bin/python" "$here/properties.py"
