#!/usr/bin/env bash
# compile_headers.sh COMPILER LANGUAGE STANDARD INCLUDE_DIR FOLDER...: every header below the folders must compile alone, twice
# included, with pedantic warnings as errors. A compiler that is missing is a failure, not a skip: then the promise was not checked.
set -euo pipefail
compiler=$1 language=$2 standard=$3 include=$4
shift 4
if ! command -v "$compiler" >/dev/null; then
    echo "the compiler $compiler is not installed: the headers were not checked with it" >&2
    exit 1
fi
count=0
failed=0
while IFS= read -r header; do
    name=${header#"$include"/}
    count=$((count + 1))
    if ! printf '#include "%s"\n#include "%s"\n' "$name" "$name" |
        "$compiler" -x "$language" -std="$standard" -pedantic-errors -Wall -Wextra -Wshadow -Wundef -Werror \
            -I "$include" -fsyntax-only -; then
        echo "$name does not compile alone as $standard with $compiler" >&2
        failed=1
    fi
done < <(find "${@/#/$include/}" \( -name '*.h' -o -name '*.hpp' \) | sort)
if [ "$count" -eq 0 ]; then
    echo "no headers found below $include" >&2
    exit 1
fi
echo "$count headers, $compiler $standard"
exit "$failed"
