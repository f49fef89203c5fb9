# Completion of aimanager for fish: aimanager completion fish | source
function __aimanager_words
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    if test "$found" = ":files"
        __fish_complete_path "$current"
    else
        printf '%s\n' $found
    end
end
complete -c aimanager -f -a '(__aimanager_words)'
