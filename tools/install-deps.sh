#!/usr/bin/env bash
# Installs what is missing from Debian 12's packages. When nothing is missing it costs one dpkg-query and changes nothing.
#
#   tools/install-deps.sh --build   what building needs
#   tools/install-deps.sh --run     what building and running needs
#   tools/install-deps.sh --test    the same and what the tests and checks need (default)
#
# Works as root, or as a user with sudo. Starts no system service and makes no system database cluster.
set -euo pipefail

readonly MARK="# made by tools/install-deps.sh for the time of one installation"
readonly POLICY=/usr/sbin/policy-rc.d
readonly CLUSTER_DIR=/etc/postgresql-common/createcluster.d
readonly CLUSTER_CONF=$CLUSTER_DIR/aimanager-install.conf

# Boost by its full name: the unversioned libboost-dev is 1.74 and conflicts with it.
readonly -a BUILD_PACKAGES=(
    clang-16 lld-16 llvm-16 libclang-rt-16-dev cmake ninja-build ccache g++ pkg-config git curl ca-certificates
    libpistache-dev libboost1.81-dev libboost-filesystem1.81-dev rapidjson-dev libpq-dev libssl-dev libspdlog-dev
    libfmt-dev prometheus-cpp-dev libexpected-dev libcli11-dev
)
readonly -a RUN_PACKAGES=("${BUILD_PACKAGES[@]}" postgresql)
readonly -a TEST_PACKAGES=(
    libgtest-dev libgmock-dev libbenchmark-dev clang-tidy-16 clang-format-16 python3 python3-venv nginx procps openssl
    abigail-tools chromium cargo golang-go
)

fail() {
    printf 'install-deps: %s\n' "$*" >&2
    exit 1
}

say() { printf 'install-deps: %s\n' "$*" >&2; }

# The packages of "$@" that are not installed, one a line.
missing_of() {
    local -A installed=()
    local name state
    while read -r name state; do
        [[ $state == installed ]] && installed[$name]=1
    done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for name in "$@"; do
        [[ -n ${installed[$name]:-} ]] || printf '%s\n' "$name"
    done
}

# Runs apt-get with the privileges it needs. Waits for another package manager's lock, up to ten minutes.
apt() {
    local output status deadline=$((SECONDS + 600))
    output=$(mktemp)
    while :; do
        status=0
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l \
            apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" \
            </dev/null >"$output" 2>&1 || status=$?
        if ((status == 0)); then
            rm -f "$output"
            return 0
        fi
        if grep -q 'Could not get lock\|Unable to lock' "$output" && ((SECONDS < deadline)); then
            say "another package manager is at work, waiting"
            sleep 3
            continue
        fi
        tail -n 30 "$output" >&2
        rm -f "$output"
        return "$status"
    done
}

# While packages are installed no service may start (PostgreSQL on 5432, nginx on 80 would surprise their machine's owner).
hold_services() {
    if [[ ! -e $POLICY ]]; then
        printf '#!/bin/sh\n%s\nexit 101\n' "$MARK" | "${as_root[@]}" tee "$POLICY" >/dev/null
        "${as_root[@]}" chmod 755 "$POLICY"
    fi
    "${as_root[@]}" mkdir -p "$CLUSTER_DIR"
    printf '%s\ncreate_main_cluster = false\n' "$MARK" | "${as_root[@]}" tee "$CLUSTER_CONF" >/dev/null
}

release_services() {
    if [[ -f $POLICY ]] && grep -qF "$MARK" "$POLICY"; then
        "${as_root[@]}" rm -f "$POLICY"
    fi
    "${as_root[@]}" rm -f "$CLUSTER_CONF"
    "${as_root[@]}" rmdir --ignore-fail-on-non-empty "$CLUSTER_DIR" 2>/dev/null || true
}

main() {
    local wanted="test"
    while (($#)); do
        case $1 in
            --build) wanted="build" ;;
            --run) wanted="run" ;;
            --test) wanted="test" ;;
            -h | --help)
                sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
                return 0
                ;;
            *) fail "unknown option $1 (known: --build, --run, --test)" ;;
        esac
        shift
    done
    command -v dpkg-query >/dev/null || fail "this needs Debian 12 (dpkg-query is not here)"

    local -a packages=("${RUN_PACKAGES[@]}") missing=()
    [[ $wanted != build ]] || packages=("${BUILD_PACKAGES[@]}")
    if [[ $wanted == test ]]; then
        packages+=("${TEST_PACKAGES[@]}")
        command -v node >/dev/null || packages+=(nodejs npm)
    else
        # Swagger UI's files come by npm, else by pip. Debian's npm is 390 packages, this is 20.
        command -v npm >/dev/null || packages+=(python3-venv)
    fi
    mapfile -t missing < <(missing_of "${packages[@]}")
    ((${#missing[@]})) || return 0

    as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "missing packages: ${missing[*]}. Run this as root, or install sudo."
        as_root=(sudo)
        # Asked once, here, so that apt's own run needs no terminal.
        sudo -n true 2>/dev/null || sudo -v || fail "sudo is needed to install: ${missing[*]}"
    fi
    say "installing ${#missing[@]} packages: ${missing[*]}"
    trap release_services EXIT
    trap 'exit 130' INT TERM HUP
    hold_services
    apt update -qq || say "apt-get update failed; trying with the package lists that are here"
    apt install -y -qq --no-install-recommends "${missing[@]}" || fail "apt-get could not install: ${missing[*]}"
    # nginx is here for its binary only (benchmarks): it must not come up at the next boot either.
    if [[ " ${missing[*]} " == *" nginx "* ]] && command -v systemctl >/dev/null; then
        "${as_root[@]}" systemctl disable nginx >/dev/null 2>&1 || true
    fi
    mapfile -t missing < <(missing_of "${packages[@]}")
    ((${#missing[@]} == 0)) || fail "still missing after the installation: ${missing[*]}"
    say "done"
}

main "$@"
