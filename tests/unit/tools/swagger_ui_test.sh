#!/usr/bin/env bash
# Where no registry answers, tools/swagger-ui.sh --daily asks once a day, and without --daily each time. The registries' programs are played.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/bin"
for name in npm python3; do
    printf '#!/bin/sh\necho asked >>"%s/asked"\nexit 1\n' "$work" >"$work/bin/$name"
    chmod +x "$work/bin/$name"
done

# asks N arguments...: fails as there is no registry, after N programs in all were asked.
asks() {
    local expected=$1 found
    shift
    if PATH=$work/bin:$PATH "$root/tools/swagger-ui.sh" "$@" "$work/build" 2>/dev/null; then
        printf 'swagger-ui.sh %s found files that nobody gave\n' "$*" >&2
        exit 1
    fi
    found=$(wc -l <"$work/asked")
    if ((found != expected)); then
        printf 'after swagger-ui.sh %s: asked %d times, expected %d\n' "$*" "$found" "$expected" >&2
        exit 1
    fi
}

asks 2 --daily
asks 2 --daily
asks 4
touch -d '25 hours ago' "$work/build/swagger-ui-failed"
asks 6 --daily
