#!/usr/bin/env bash
# Line coverage of core/ and services/: runs all tests instrumented, prints a table a folder, fails below the floor.
#
#   tools/coverage.sh [--floor PERCENT] [--preset NAME] [--report-only] [--no-install]
#
#   --preset NAME   coverage (default), or instrumented, which has sanitizers, too
#   --report-only   use the profiles of the last `tools/test.sh --preset NAME`
set -euo pipefail
AIM_PROGRAM=coverage.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

floor=80
preset=coverage
report_only=0
test_options=()

# Programs and plugins that carry a coverage mapping; a hundred test programs repeat the same libraries, which llvm-cov merges.
objects() {
    local file
    find "$build_dir/bin" "$build_dir/plugins" "$build_dir/tests" -type f \( -perm -u+x -o -name '*.so' \) 2>/dev/null |
        while IFS= read -r file; do
            [[ $(head -c 4 "$file" | od -An -tx1) != " 7f 45 4c 46" ]] || printf '%s\n' "$file"
        done
}

main() {
    while (($#)); do
        case $1 in
            --floor)
                floor=${2:?--floor needs a value}
                shift
                ;;
            --preset)
                preset=${2:?--preset needs a value}
                shift
                ;;
            --report-only) report_only=1 ;;
            --no-install) test_options+=(--no-install) ;;
            -h | --help)
                aim_help "${BASH_SOURCE[0]}"
                return 0
                ;;
            *) aim_die "unknown option $1" ;;
        esac
        shift
    done
    build_dir=$AIM_ROOT/build/$preset
    ((report_only)) || "$AIM_ROOT/tools/test.sh" --preset "$preset" "${test_options[@]}"

    local -a profiles=() files=() arguments=()
    mapfile -t profiles < <(find "$build_dir/profiles" -name '*.profraw' -size +0 2>/dev/null)
    ((${#profiles[@]})) || aim_die "no profiles in $build_dir/profiles: run tools/test.sh --preset $preset"
    # A program that was killed may leave a torn profile: it is left out, the others count.
    llvm-profdata-16 merge -sparse --failure-mode=all "${profiles[@]}" -o "$build_dir/all.profdata"
    mapfile -t files < <(objects)
    ((${#files[@]})) || aim_die "no programs in $build_dir"
    local file
    for file in "${files[@]:1}"; do arguments+=(-object "$file"); done
    (cd "$AIM_ROOT" && llvm-cov-16 export -summary-only -num-threads="$(nproc)" -instr-profile "$build_dir/all.profdata" \
        "${files[0]}" "${arguments[@]}" -ignore-filename-regex='^/usr/|/(tests|plugins|abi|build)/' \
        >"$build_dir/coverage.json" 2>"$build_dir/llvm-cov.log") || {
        tail -n 20 "$build_dir/llvm-cov.log" >&2
        aim_die "llvm-cov failed"
    }
    python3 "$AIM_ROOT/tools/coverage_table.py" --root "$AIM_ROOT" --floor "$floor" "$build_dir/coverage.json"
}

main "$@"
