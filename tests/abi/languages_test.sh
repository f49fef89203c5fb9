#!/usr/bin/env bash
# languages_test.sh rust|go SOURCE_DIR AIMANAGER WORK_DIR: builds the template of that language without any network, and checks it as
# the gateway and the conformance suite do. Exit code 77 (skipped) with the reason when the toolchain is not here.
set -euo pipefail
language=$1 source_dir=$2 aimanager=$3 work=$4/$1

skip() {
    echo "skipped: $*"
    exit 77
}

check() {
    "$aimanager" plugin check "$1" >"$work/report" || {
        grep -v '^  pass' "$work/report" >&2
        echo "the plugin in $language is not good" >&2
        exit 1
    }
    grep -q '^  pass  answer-is-understood$' "$work/report"
    tail -n 1 "$work/report"
}

mkdir -p "$work"
rm -rf -- "$work/source"
cp -r "$source_dir/abi/template/$language" "$work/source"
cd "$work/source"
case $language in
    rust)
        command -v cargo >/dev/null || skip "cargo is not installed"
        CARGO_TARGET_DIR=$work/target cargo build --release --offline --quiet
        check "$work/target/release/libtemplate_rust.so"
        ;;
    go)
        command -v go >/dev/null || skip "go is not installed"
        GOCACHE=$work/cache GOPROXY=off GOTOOLCHAIN=local GOFLAGS=-mod=mod CGO_ENABLED=1 CGO_CFLAGS="-I$source_dir/abi/include" \
            go build -buildmode=c-shared -o "$work/template_go.so" \
            -ldflags "-s -w -extldflags '-Wl,--version-script=$source_dir/abi/cmake/plugin.map'" .
        # As it is, it is refused; with its hash it is taken.
        if "$aimanager" plugin check --only no-static-tls "$work/template_go.so" >"$work/report"; then
            echo "a plugin with static thread-local storage was taken without being named" >&2
            exit 1
        fi
        grep -q 'static_tls' "$work/report"
        PLUGIN_SHA256_ALLOW=$(sha256sum "$work/template_go.so" | cut -d' ' -f1)
        export PLUGIN_SHA256_ALLOW
        check "$work/template_go.so"
        ;;
    *)
        echo "unknown language $language" >&2
        exit 2
        ;;
esac
