#!/usr/bin/env bash
# All checks that need no test run: format, include direction, names and their headers, settings, documents, headers alone, g++ syntax, clang-tidy, shell scripts, texts.
#
#   tools/lint.sh [--build-dir DIR] [--no-install] [--fix] [CHECK...]
#
#   --build-dir DIR   a configured build folder (default build/debug, configured when needed)
#   --fix             let clang-format change the files
#   CHECK             only these: format includes names env docs bench text shell headers gcc tidy
set -euo pipefail
AIM_PROGRAM=lint.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

build_dir=$AIM_ROOT/build/debug
install=1
fix=0
checks=()
failed=()
# A clean clone remembers nothing, and what it would have to remember costs time.
no_cache=(${CI:+--no-cache})

# shellcheck disable=SC2317
check_format() {
    local -a files=() mode=(--dry-run -Werror)
    ((fix == 0)) || mode=(-i)
    mapfile -d '' files < <(cd "$AIM_ROOT" && git ls-files -co --exclude-standard -z -- '*.h' '*.hpp' '*.c' '*.cpp' |
        while IFS= read -r -d '' file; do [[ ! -f $file ]] || printf '%s\0' "$file"; done)
    ((${#files[@]})) || {
        aim_say "git lists no C or C++ files here"
        return 1
    }
    printf '%s\0' "${files[@]}" | (cd "$AIM_ROOT" && xargs -0 -n 40 -P "$(nproc)" clang-format-16 "${mode[@]}") || return 1
    printf 'format: %d files\n' "${#files[@]}"
}

# shellcheck disable=SC2317
check_includes() {
    python3 "$AIM_ROOT/tools/check_includes.py" --self-test && python3 "$AIM_ROOT/tools/check_includes.py"
}

# shellcheck disable=SC2317
check_env() { python3 "$AIM_ROOT/tools/check_env.py" --self-test && python3 "$AIM_ROOT/tools/check_env.py"; }

# shellcheck disable=SC2317
check_docs() { python3 "$AIM_ROOT/tools/check_docs.py" --self-test && python3 "$AIM_ROOT/tools/check_docs.py"; }

# shellcheck disable=SC2317
check_bench() { python3 -B "$AIM_ROOT/tools/bench/self_test.py"; }

# shellcheck disable=SC2317
check_text() { "$AIM_ROOT/tools/check_text.sh" --self-test && "$AIM_ROOT/tools/check_text.sh"; }

# shellcheck disable=SC2317
check_shell() {
    local file
    local -a files=()
    mapfile -t files < <(cd "$AIM_ROOT" && git ls-files -co --exclude-standard -- '*.sh' .ci/run)
    for file in "${files[@]}"; do bash -n "$AIM_ROOT/$file" || return 1; done
    if command -v shellcheck >/dev/null; then
        (cd "$AIM_ROOT" && shellcheck -x "${files[@]}") || return 1
        printf 'shell: %d scripts\n' "${#files[@]}"
    else
        printf 'shell: %d scripts parse (shellcheck is not installed)\n' "${#files[@]}"
    fi
}

# shellcheck disable=SC2317
check_names() { python3 "$AIM_ROOT/tools/check_names.py" --self-test && python3 "$AIM_ROOT/tools/check_names.py"; }

# shellcheck disable=SC2317
check_headers() { "$AIM_ROOT/tools/check_headers.sh" "$build_dir"; }

# shellcheck disable=SC2317
check_gcc() { python3 "$AIM_ROOT/tools/check_gcc.py" "$build_dir" -j "$(aim_jobs)" "${no_cache[@]}" --folders abi core plugins services; }

# shellcheck disable=SC2317
check_tidy() { python3 "$AIM_ROOT/tools/check_tidy.py" "$build_dir" -j "$(aim_jobs)" "${no_cache[@]}"; }

main() {
    while (($#)); do
        case $1 in
            --build-dir)
                build_dir=$(aim_absolute "${2:?--build-dir needs a value}")
                shift
                ;;
            --no-install) install=0 ;;
            --fix) fix=1 ;;
            -h | --help)
                aim_help "${BASH_SOURCE[0]}"
                return 0
                ;;
            format | includes | names | env | docs | bench | text | shell | headers | gcc | tidy) checks+=("$1") ;;
            *) aim_die "unknown option or check $1" ;;
        esac
        shift
    done
    ((${#checks[@]})) || checks=(format includes names env docs bench text shell headers gcc tidy)
    if ((install)); then "$AIM_ROOT/tools/install-deps.sh" --test; fi
    if [[ " ${checks[*]} " =~ \ (headers|gcc|tidy)\  && ! -f $build_dir/compile_commands.json ]]; then
        aim_configure debug "$build_dir"
    fi
    local check
    for check in "${checks[@]}"; do
        "check_$check" || failed+=("$check")
    done
    ((${#failed[@]} == 0)) || aim_die "failed: ${failed[*]}"
}

main "$@"
