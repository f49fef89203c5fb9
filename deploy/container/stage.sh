#!/usr/bin/env bash
# Puts what the images take from a build into a folder, without debugging symbols: bin/, plugins/, share/aimanager/sql/.
#   stage.sh BUILD_DIR OUT_DIR
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
build=$1 out=$2

install -d -m 755 -- "$out/bin" "$out/plugins" "$out/share/aimanager"
for program in aimanager aimanager-data-api aimanager-business-api aimanager-health-worker aimanager-telegram-bot; do
    install -m 755 -- "$build/bin/$program" "$out/bin/"
    strip --strip-debug -- "$out/bin/$program"
done
# The loader refuses what others may write.
for plugin in "$build"/plugins/*.so; do
    install -m 644 -- "$plugin" "$out/plugins/"
    strip --strip-debug -- "$out/plugins/${plugin##*/}"
done
cp -r -- "$root/sql" "$out/share/aimanager/"
chmod -R a+rX,go-w -- "$out/share"
