#compdef aimanager
# Completion of aimanager for zsh: source <(aimanager completion zsh), or as _aimanager in a folder of $fpath.
_aimanager() {
    local line text
    local -a described
    for line in "${(@f)$(${~words[1]} __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] || continue
        if [[ $line == :files ]]; then
            _files
            return
        fi
        text=${line%%$'\t'*}
        if [[ $line == *$'\t'* ]]; then
            described+=("${text//:/\\:}:${line#*$'\t'}")
        else
            described+=("${text//:/\\:}")
        fi
    done
    (( $#described )) && _describe -t words aimanager described
}
if [[ ${funcstack[1]} == _aimanager ]]; then
    _aimanager "$@"
else
    compdef _aimanager aimanager
fi
