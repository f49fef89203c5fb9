#!/usr/bin/env bash
# Searches all files of the tree for what must not be in them: keys, paths of one machine, hosts of package registries, marks of
# unfinished work. The patterns are written so that this file does not match itself.
#
#   tools/check_text.sh [--self-test]
set -euo pipefail
AIM_PROGRAM=check_text.sh
# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# name <TAB> extended regular expression
rules() {
    cat <<'RULES'
a provider's key	(^|[^A-Za-z0-9_-])(s[k]-(ant-|proj-|or-v1-)?[A-Za-z0-9_-]{32,}|gs[k]_[A-Za-z0-9]{32,}|h[f]_[A-Za-z0-9]{30,}|AIz[a][A-Za-z0-9_-]{35}|cs[k]-[A-Za-z0-9]{32,}|gh[pousr]_[A-Za-z0-9]{36})
a bot's token	(^|[^0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{33}
a gateway's key	(^|[^A-Za-z0-9_])ai[m]_[A-Za-z0-9_-]{43}($|[^A-Za-z0-9_-])
a private key	-----BEGIN( [A-Z]+)* PRIVATE KE[Y]-----
a package registry's host	(registry[.](npmjs|yarnpkg)[.]|pyp[i][.]org|files[.]pythonhosted[.]|proxy[.]golang[.]|static[.]crates[.]io|index[.]crates[.]io|repo1?[.]maven|de[b][.]debian[.]org)
a path of one machine	(^|[^A-Za-z0-9_.}/-])(/[w]ork/(main|shared)|/hom[e]/[a-z]|/User[s]/[A-Za-z])
a mark of unfinished work	(^|[^A-Za-z0-9_])(TOD[O]|FIXM[E]|XX[X])($|[^A-Za-z0-9_])
RULES
}

# The files of a commit made now. Fuzz corpora hold anything by nature.
files() {
    if git -C "$1" rev-parse --git-dir >/dev/null 2>&1; then
        (cd "$1" && git ls-files -co --exclude-standard -z)
    else
        (cd "$1" && find . -type d \( -name build -o -name var -o -name .git -o -name node_modules \) -prune -o -type f -print0)
    fi
}

check() {
    local name pattern found bad=0
    while IFS=$'\t' read -r name pattern; do
        # Exit code 1 of grep is "nothing found"; file names and line numbers are shown, a key itself is not. Tests plant made-up
        # keys that say CANARY, to see that they never come out.
        # shellcheck disable=SC2015
        found=$(cd "$1" && files . | grep -zv 'tests/fuzz/corpus/' | xargs -0 -r grep -nIE -d skip -e "$pattern" -- 2>/dev/null |
            grep -v CANARY | cut -d : -f 1,2 || true)
        if [[ -n $found ]]; then
            bad=1
            while IFS= read -r line; do printf '%s: %s\n' "$line" "$name"; done <<<"$found"
        fi
    done < <(rules)
    return $bad
}

self_test() {
    local root expected found
    root=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf -- '$root'" EXIT
    printf '%s\n' "key = s""k-$(printf 'a%.0s' {1..40})" "x gs""k_$(printf 'b%.0s' {1..40})" "12345678:A""A$(printf 'c%.0s' {1..33})" \
        "ai""m_$(printf 'd%.0s' {1..43})" "-----BEGIN RSA PRIVATE KE""Y-----" "https://registry"".npmjs.org/x" "cd /wor""k/main" \
        "/hom""e/someone" "// TO""DO later" >"$root/bad.txt"
    printf '%s\n' "task-based; desk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" "a/home""/b" "build/work/main" "method" "aim_chat_request" \
        "gs""k_CANARY$(printf 'b%.0s' {1..40})" >"$root/good.txt"
    expected=$(wc -l <"$root/bad.txt")
    found=$(check "$root" | sort -u | tee "$root/out.txt" | grep -c '^\(\./\)\{0,1\}bad.txt:' || true)
    if [[ $found != "$expected" ]] || grep -q good.txt "$root/out.txt"; then
        cat "$root/out.txt"
        aim_die "self-test: found $found of $expected"
    fi
    printf 'check_text self-test: %d of %d found\n' "$found" "$expected"
}

case ${1:-} in
    --self-test) self_test ;;
    -h | --help) aim_help "${BASH_SOURCE[0]}" ;;
    "")
        check "$AIM_ROOT" || aim_die "these may not be in the tree"
        printf 'text: nothing found that may not be in the tree\n'
        ;;
    *) aim_die "unknown option $1" ;;
esac
