#!/usr/bin/env bash
# Puts Swagger UI's two files where the services of a build folder find them, so that /docs can show it.
#
#   tools/swagger-ui.sh [--daily] [BUILD_DIR]   default: build/release; the files go to BUILD_DIR/share/aimanager/swagger-ui
#
#   --daily   not again within a day after it failed, so that a start without a registry does not wait for one each time
#
# By npm from the registry that is configured for it, or without npm by pip, from a package that carries the same bytes. Whatever came is
# checked against core/http/docs/swagger-ui.sha256. Does nothing when the right files are there; takes at most a minute. Exit code 1:
# they cannot be had now; everything but /docs works without them.
set -euo pipefail
AIM_PROGRAM=swagger-ui.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

readonly NPM_PACKAGE=swagger-ui-dist@5.33.1
# Another package's copy of the same two files.
readonly PIP_PACKAGE=drf-spectacular-sidecar==2026.10.1
readonly SUMS=$AIM_ROOT/core/http/docs/swagger-ui.sha256
readonly -a FILES=(swagger-ui-bundle.js swagger-ui.css)

are_right() { [[ -d $1 ]] && (cd -- "$1" && sha256sum --status --check -- "$SUMS" 2>/dev/null); }

by_npm() {
    local tarball
    tarball=$(cd -- "$work" && timeout 30 npm pack --silent --ignore-scripts --fetch-retries 1 "$NPM_PACKAGE" 2>/dev/null) || return 1
    tar -xzf "$work/$tarball" -C "$work" --strip-components 1 "${FILES[@]/#/package/}"
}

by_pip() {
    local wheel
    python3 -m venv "$work/venv" >/dev/null 2>&1 || return 1
    timeout 30 "$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: --retries 1 \
        --dest "$work" "$PIP_PACKAGE" >/dev/null 2>&1 || return 1
    for wheel in "$work"/*.whl; do
        python3 - "$wheel" "$work" "${FILES[@]}" <<'PYTHON' || return 1
import os, sys, zipfile

wheel, folder, *names = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.namelist():
        if os.path.basename(entry) in names:
            with open(os.path.join(folder, os.path.basename(entry)), "wb") as out:
                out.write(archive.read(entry))
PYTHON
    done
}

main() {
    if [[ ${1:-} == -h || ${1:-} == --help ]]; then
        aim_help "${BASH_SOURCE[0]}"
        return 0
    fi
    local build folder way name failed daily=0
    if [[ ${1:-} == --daily ]]; then
        daily=1
        shift
    fi
    build=$(aim_absolute "${1:-$AIM_ROOT/build/release}")
    folder=$build/share/aimanager/swagger-ui
    failed=$build/swagger-ui-failed
    if are_right "$folder"; then return 0; fi
    if ((daily)) && [[ -n $(find "$failed" -mmin -1440 2>/dev/null) ]]; then return 1; fi
    work=$(mktemp -d "${TMPDIR:-/tmp}/aim-swagger-ui.XXXXXX")
    trap 'rm -rf -- "$work"' EXIT
    for way in npm pip; do
        if [[ $way == npm ]]; then command -v npm >/dev/null || continue; else command -v python3 >/dev/null || continue; fi
        "by_$way" || continue
        if ! are_right "$work"; then
            aim_say "what $way fetched differs from $SUMS"
            continue
        fi
        mkdir -p -- "$folder"
        for name in "${FILES[@]}"; do
            install -m 644 -- "$work/$name" "$folder/.$name"
            mv -f -- "$folder/.$name" "$folder/$name"
        done
        rm -f -- "$failed"
        return 0
    done
    mkdir -p -- "$build"
    : >"$failed"
    aim_say "Swagger UI cannot be fetched now (npm or pip with their registry are needed); /docs shows a plain list until it is there"
    return 1
}

main "$@"
