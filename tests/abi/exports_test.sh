#!/usr/bin/env bash
# exports_test.sh PROGRAM...: the hosts of plugins export nothing, so that no function of a plugin ever binds to one of theirs.
set -euo pipefail
(($# > 0))
for program in "$@"; do
    symbols=$(nm -D --defined-only "$program")
    [[ -z $symbols ]] || {
        printf '%s exports:\n%s\n' "$program" "$symbols" >&2
        exit 1
    }
    # What it asks of others is there, so nm has read it.
    [[ -n $(nm -D --undefined-only "$program") ]]
done
