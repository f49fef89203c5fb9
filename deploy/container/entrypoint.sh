#!/bin/bash
# Starts the program of a container: entrypoint.sh PROGRAM [ARGUMENT...]
#
# A secret of our own that nobody set (API_KEY, BOT_API_KEY, DATA_API_TOKEN, MASTER_KEY) is made at random once and kept in SECRETS_DIR, a volume that
# the containers share; nothing has a default that a stranger could know. Read the API key with
#   docker compose exec aimanager_business_api cat /run/aimanager/api_key
set -euo pipefail
readonly folder=${SECRETS_DIR:-/run/aimanager}

say() { printf 'entrypoint: %s\n' "$*" >&2; }

random_base64() { head -c 32 /dev/urandom | base64 -w 0; }
make_api_key() { printf 'aim_%s' "$(random_base64 | tr '+/' '-_' | tr -d '=')"; }
make_token() { random_base64 | tr '+/' '-_' | tr -d '='; }
make_master_key() { random_base64; }

# secret VARIABLE FILE MAKER: several containers may start at once; a hard link is made by one of them only.
secret() {
    local variable=$1 file=$folder/$2 fresh
    [[ -z ${!variable:-} ]] || return 0
    if [[ ! -s $file ]]; then
        if ! fresh=$(mktemp "$folder/.$2.XXXXXX" 2>/dev/null); then
            say "$variable is not set and $folder cannot be written"
            exit 2
        fi
        "$3" >"$fresh"
        ln -- "$fresh" "$file" 2>/dev/null || true
        rm -f -- "$fresh"
    fi
    printf -v "$variable" '%s' "$(<"$file")"
    export "${variable?}"
}

# warn_of_guessable VARIABLE...: words from examples that strangers would try first, and what is too short.
warn_of_guessable() {
    local variable value
    for variable; do
        value=${!variable:-}
        case $value in
            '') ;;
            *change-me* | *change_me* | *changeme* | secret | test | password | api-key)
                say "WARNING: $variable is an example's word; whoever reaches this service can guess it. Set another one, or none for a random one."
                ;;
            *) ((${#value} >= 16)) || say "WARNING: $variable is shorter than 16 characters and can be guessed." ;;
        esac
    done
}

# An engine may hand out 1024 descriptors although far more are allowed; a prompt under way takes two.
raise_descriptors() {
    local soft hard
    soft=$(ulimit -Sn) hard=$(ulimit -Hn)
    [[ $soft != unlimited ]] && ((soft < 65536)) || return 0
    if [[ $hard == unlimited ]] || ((hard > 65536)); then hard=65536; fi
    ulimit -Sn "$hard" || true
}

program=${1:?entrypoint.sh PROGRAM [ARGUMENT...]}
raise_descriptors
case $program in
    aimanager-data-api)
        secret DATA_API_TOKEN data_api_token make_token
        secret MASTER_KEY master_key make_master_key
        warn_of_guessable DATA_API_TOKEN
        ;;
    aimanager-business-api | aimanager-health-worker)
        secret DATA_API_TOKEN data_api_token make_token
        secret MASTER_KEY master_key make_master_key
        if [[ $program == aimanager-business-api ]]; then
            secret API_KEY api_key make_api_key
            # The bot's, without a rate limit: it counts each of its users by itself.
            secret BOT_API_KEY bot_api_key make_api_key
            warn_of_guessable API_KEY BOT_API_KEY
        fi
        ;;
    aimanager-telegram-bot)
        if [[ -z ${TELEGRAM_BOT_TOKEN:-} ]]; then
            say "TELEGRAM_BOT_TOKEN is not set: there is no bot to run. Everything else works without it."
            exit 0
        fi
        secret BOT_API_KEY bot_api_key make_api_key
        ;;
    aimanager)
        [[ ! -r $folder/api_key ]] || secret API_KEY api_key make_api_key
        [[ ! -r $folder/data_api_token ]] || secret DATA_API_TOKEN data_api_token make_token
        ;;
esac
if [[ -x /usr/lib/aimanager/bin/$program ]]; then program=/usr/lib/aimanager/bin/$program; fi
shift
exec "$program" "$@"
