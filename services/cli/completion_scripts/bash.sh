# shellcheck shell=bash
# Completion of aimanager for bash: source <(aimanager completion bash)
_aimanager() {
    local line=${COMP_LINE:0:COMP_POINT} word current prefix=""
    # The shell breaks words at : and =, and replaces only what stands behind the last of them.
    current=${line##*[[:space:]]}
    [[ $current != *[:=]* ]] || prefix=${current%"${current##*[:=]}"}
    COMPREPLY=()
    while IFS= read -r word; do
        if [[ $word == :files ]]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${current#"$prefix"}")
            return
        fi
        word=${word%%$'\t'*}
        printf -v word '%q' "${word#"$prefix"}"
        COMPREPLY+=("$word")
    done < <("${1/#\~/$HOME}" __complete --line "$line" 2>/dev/null)
}
complete -F _aimanager aimanager
