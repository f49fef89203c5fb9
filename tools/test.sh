#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test, with a real PostgreSQL where a test needs one.
#
#   tools/test.sh [--preset NAME] [--label LABEL] [--build-dir DIR] [--no-install] [--no-build] [-- CTEST ARGUMENTS...]
#
#   --preset NAME   debug (default), coverage, asan-ubsan, instrumented (both at once), tsan, bench (optimised, as it ships)
#   --label LABEL   only tests with this label: unit, engine, integration, e2e, shipped (what needs the build that ships, so of the preset
#                   bench); for unit, engine and shipped only those are built
#   -- ARGUMENTS    handed to ctest, for example: tools/test.sh -- -R core_http
#
# The last line is "N passed, N failed".
set -euo pipefail
AIM_PROGRAM=test.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

preset=debug
label=""
build_dir=""
install=1
build=1
extra=()

# The executables of the label's tests (aim_test gives both one name), and every plugin: tests load them from the build folder.
targets_of_label() {
    local all
    # A folder from before a test was added must know it, too.
    ninja -C "$build_dir" build.ninja >&2
    all=$(ninja -C "$build_dir" -t targets all)
    ctest --test-dir "$build_dir" -N -L "$label" | sed -n 's/^ *Test *#[0-9]*: \([A-Za-z0-9_.-]*\).*/\1/p' |
        while IFS= read -r name; do
            [[ $'\n'$all != *$'\n'"bin/$name: "* ]] || printf '%s\n' "$name"
        done
    sed -n 's/^\(plugins\/[^:]*\.so\): .*/\1/p' <<<"$all"
    # Its scripts look at every program.
    [[ $label != shipped ]] || printf 'services/all\n'
}

# What a sanitizer finds ends the program, with symbols.
set_sanitizers() {
    export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-16
    export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:abort_on_error=0}
    export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
    export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:external_symbolizer_path=/usr/bin/llvm-symbolizer-16}
    local file
    for file in lsan tsan; do
        [[ ! -f $AIM_ROOT/tests/support/$file.supp ]] || case $file in
            lsan) export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$AIM_ROOT/tests/support/lsan.supp} ;;
            tsan) TSAN_OPTIONS+=:suppressions=$AIM_ROOT/tests/support/tsan.supp ;;
        esac
    done
}

run_tests() {
    local status=0 log=$build_dir/ctest.log failed=0 total=0 line
    # Output goes through a file, for the totals; as it comes, for people.
    # They wait for others about a quarter of their time, hence one more than there are processors.
    ctest --test-dir "$build_dir" --output-on-failure --no-tests=error -j $(($(nproc) + 1)) ${label:+-L "$label"} "${extra[@]}" \
        </dev/null 2>&1 | tee "$log" || status=$?
    line=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests\{0,1\} failed out of \([0-9]*\).*/\1 \2/p' "$log" | tail -n 1)
    [[ -z $line ]] || read -r failed total <<<"$line"
    # A run without totals (no tests, a crash of ctest) is a failure by itself.
    ((status == 0 || failed > 0)) || failed=1 total=$((total > 0 ? total : 1))
    printf '%d passed, %d failed\n' $((total - failed)) "$failed"
    return "$status"
}

main() {
    while (($#)); do
        case $1 in
            --preset | --label | --build-dir)
                [[ -n ${2:-} ]] || aim_die "$1 needs a value"
                case $1 in
                    --preset) preset=$2 ;;
                    --label) label=$2 ;;
                    *) build_dir=$(aim_absolute "$2") ;;
                esac
                shift
                ;;
            --preset=*) preset=${1#*=} ;;
            --label=*) label=${1#*=} ;;
            --build-dir=*) build_dir=$(aim_absolute "${1#*=}") ;;
            --no-install) install=0 ;;
            --no-build) build=0 ;;
            -h | --help)
                aim_help "${BASH_SOURCE[0]}"
                return 0
                ;;
            --)
                shift
                extra+=("$@")
                break
                ;;
            *) extra+=("$1") ;;
        esac
        shift
    done
    [[ -n $build_dir ]] || build_dir=$AIM_ROOT/build/$preset
    if ((install)); then "$AIM_ROOT/tools/install-deps.sh" --test; fi
    if ((build)); then
        local -a targets=()
        if [[ $label == unit || $label == engine || $label == shipped ]]; then
            mkdir -p "$build_dir"
            aim_configure "$preset" "$build_dir"
            mapfile -t targets < <(targets_of_label)
            ((${#targets[@]})) || aim_die "no test has the label $label"
        fi
        aim_build "$preset" "$build_dir" "${targets[@]}" || aim_die "the build failed"
    fi
    set_sanitizers
    if grep -qx 'AIM_COVERAGE:[A-Z]*=ON' "$build_dir/CMakeCache.txt"; then
        # One file a program, merged by the programs themselves as they end.
        rm -rf -- "$build_dir/profiles"
        mkdir -p "$build_dir/profiles"
        export LLVM_PROFILE_FILE=$build_dir/profiles/%4m.profraw
    fi
    run_tests
}

main "$@"
