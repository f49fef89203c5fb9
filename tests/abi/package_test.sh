#!/usr/bin/env bash
# package_test.sh SOURCE_DIR BUILD_DIR: installs the SDK into an empty folder and works with nothing else: `plugin new` in both
# languages through find_package, the C template through pkg-config, and the guide, whose blocks are taken from its page.
set -euo pipefail
source_dir=$1 build_dir=$2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
installed=$work/installed

cmake --install "$build_dir" --component sdk --prefix "$installed" >"$work/log" || {
    cat "$work/log" >&2
    exit 1
}
export PATH=$installed/bin:$PATH PKG_CONFIG_PATH=$installed/lib/pkgconfig
[[ -x $installed/bin/aimanager && -f $PKG_CONFIG_PATH/aim-plugin.pc ]]

check() {
    aimanager plugin check "$@" >"$work/report" || {
        grep -v '^  pass' "$work/report" >&2
        echo "$1 is not good" >&2
        exit 1
    }
    printf '%s: %s\n' "$(basename "$1")" "$(tail -n 1 "$work/report")"
}

for language in c cpp; do
    name=acme-$language
    aimanager plugin new "$name" --lang "$language" --into "$work" >"$work/log"
    # A second time nothing is overwritten.
    if aimanager plugin new "$name" --lang "$language" --into "$work" >"$work/log" 2>&1; then
        echo "plugin new overwrote a folder" >&2
        exit 1
    fi
    if ! { cmake -S "$work/$name" -B "$work/$name/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$installed" &&
        cmake --build "$work/$name/build"; } >"$work/log" 2>&1; then
        tail -n 40 "$work/log" >&2
        exit 1
    fi
    check "$work/$name/build/$name.so"
    aimanager plugin info --json "$work/$name/build/$name.so" | grep -q "\"id\":\"$name\""
done
# The same folder against the source tree.
cmake -S "$work/acme-c" -B "$work/from-tree" -DAimPlugin_DIR="$source_dir/abi/cmake" >"$work/log"
cmake --build "$work/from-tree" >>"$work/log"
check "$work/from-tree/acme-c.so"

# shellcheck disable=SC2046 # the flags are words
cc -std=c11 $(pkg-config --cflags aim-plugin) -o "$work/plain.so" "$installed/share/aimanager/template/c/plugin.c" \
    $(pkg-config --libs aim-plugin)
check "$work/plain.so"

"$source_dir/tests/abi/guide_plugin.sh" "$installed" "$work/guide"
echo "guide: $(grep ' passed, ' "$work/guide/report")"
