#!/usr/bin/env bash
# golden_test.sh SOURCE_DIR AIMANAGER: old plugins on today's host, later plugins on today's host, and abidiff as a second opinion.
set -euo pipefail
source_dir=$1 aimanager=$2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
template=$source_dir/abi/template/c/plugin.c
flags=(-std=c11 -O1 -g -shared -fPIC -fvisibility=hidden "-Wl,--version-script=$source_dir/abi/cmake/plugin.map")

check() {
    "$aimanager" plugin check "$1" >"$work/report" || {
        grep -v '^  pass' "$work/report" >&2
        echo "$2 is not good on today's host" >&2
        exit 1
    }
    printf '%s: %s\n' "$2" "$(tail -n 1 "$work/report")"
}

minor_of() { sed -n 's/^#define AIM_ABI_MINOR //p' "$1/aim/abi/version.h"; }

for golden in "$source_dir"/abi/golden/v*_*; do
    cc "${flags[@]}" -I "$golden" -o "$work/old.so" "$template"
    check "$work/old.so" "a plugin of $(basename "$golden")"
    if ! command -v abidiff >/dev/null; then
        echo "abidiff is not installed (package abigail-tools): the second opinion is left out"
        continue
    fi
    # Growth is a difference to abidiff, so it is asked only where nothing may have changed.
    if [[ $(minor_of "$golden") == "$(minor_of "$source_dir/abi/include")" ]]; then
        cc -std=c11 -O0 -g -shared -fPIC -I "$golden" -o "$work/before.so" "$source_dir/tests/abi/abi_surface.c"
        cc -std=c11 -O0 -g -shared -fPIC -I "$source_dir/abi/include" -o "$work/after.so" "$source_dir/tests/abi/abi_surface.c"
        abidiff --headers-dir1 "$golden" --headers-dir2 "$source_dir/abi/include" "$work/before.so" "$work/after.so" || {
            echo "abidiff sees a difference between $(basename "$golden") and today's headers" >&2
            exit 1
        }
        echo "abidiff: no difference to $(basename "$golden")"
    fi
done

# A later minor: every table has one more member, and the plugin asks before it uses one.
cp -r "$source_dir/abi/include" "$work/later"
for table in aim_sink aim_call aim_config aim_http_builder aim_http_head aim_host aim_chat_request; do
    sed -i "s/^} $table;/    void (*later)(void); \/* since the next minor *\/\n} $table;/" "$work"/later/aim/abi/*.h
done
sed -i "s/^#define AIM_ABI_MINOR .*/#define AIM_ABI_MINOR $(($(minor_of "$source_dir/abi/include") + 1))/" "$work/later/aim/abi/version.h"
sed 's/^static int32_t OnHead(.*/&\n    if (AIM_HAS(call->sink, aim_sink, later)) call->sink->later();\n    if (AIM_HAS(call, aim_call, later)) call->later();/' \
    "$template" >"$work/later.c"
grep -q 'AIM_HAS(call->sink, aim_sink, later)' "$work/later.c"
[[ $(grep -l 'later' "$work"/later/aim/abi/*.h | wc -l) -ge 5 ]]
cc "${flags[@]}" -I "$work/later" -o "$work/later.so" "$work/later.c"
check "$work/later.so" "a plugin of the next minor"

# One that does not ask is found out.
sed 's/^static int32_t OnHead(.*/&\n    if (call->later != NULL) call->later();/' "$template" >"$work/careless.c"
cc "${flags[@]}" -I "$work/later" -o "$work/careless.so" "$work/careless.c"
if "$aimanager" plugin check --only old-host-smaller-tables "$work/careless.so" >"$work/report"; then
    cat "$work/report" >&2
    echo "a plugin that reads what the host's table does not have was called good" >&2
    exit 1
fi
echo "a careless plugin of the next minor: refused"
