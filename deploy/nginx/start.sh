#!/bin/sh
# Runs nginx in front of the business APIs in BUSINESS_APIS, as whoever calls it (no root needed).
#
#   BUSINESS_APIS       host:port, comma separated (default aimanager_business_api:8000). A name may have several addresses; one
#                       that does not resolve is left out, so that a second API may be started later
#   NGINX_LISTEN        address or port to listen on (default 8000)
#   NGINX_RUN_DIR       folder for its files (default /run/aimanager-nginx)
#   NGINX_ACCESS_LOG    default /dev/stdout
#   NGINX_MAX_BODY      nginx's own limit for bodies; keep it above the API's MAX_BODY_BYTES (default 64m)
#   NGINX_RESOLVE_S     seconds between two look-ups of the names (default 5); nginx is reloaded when an address has changed
set -eu
PATH=$PATH:/usr/sbin

here=$(cd -- "$(dirname -- "$0")" && pwd)
apis=${BUSINESS_APIS:-aimanager_business_api:8000}
listen=${NGINX_LISTEN:-8000}
run=${NGINX_RUN_DIR:-/run/aimanager-nginx}
access_log=${NGINX_ACCESS_LOG:-/dev/stdout}
max_body=${NGINX_MAX_BODY:-64m}
every=${NGINX_RESOLVE_S:-5}
config=$run/nginx.conf

# One `server` line for each address of each name.
servers() {
    for api in $(printf '%s' "$apis" | tr ',' ' '); do
        name=${api%:*}
        port=${api##*:}
        case $port in '' | *[!0-9]*) echo "start.sh: BUSINESS_APIS: $api is not host:port" >&2 && exit 2 ;; esac
        getent ahosts "$name" | awk -v port="$port" '$2 == "STREAM" {
            host = $1
            if (index(host, ":")) host = "[" host "]"
            print "        server " host ":" port " max_fails=1 fail_timeout=2s;"
        }' || true
    done | sort -u
}

render() {
    printf '%s\n' "$1" >"$run/servers"
    sed 's/max_fails=1 fail_timeout=2s/max_fails=0/' "$run/servers" >"$run/any_servers"
    sed -e "s|@RUN@|$run|g" -e "s|@LISTEN@|$listen|g" -e "s|@ACCESS_LOG@|$access_log|g" -e "s|@MAX_BODY@|$max_body|g" \
        -e "/@ANY_SERVERS@/r $run/any_servers" -e "/@ANY_SERVERS@/d" \
        -e "/@SERVERS@/r $run/servers" -e "/@SERVERS@/d" "$here/aimanager.conf.template" >"$config.new"
    mv -f -- "$config.new" "$config"
}

mkdir -p -- "$run"
found=$(servers)
while [ -z "$found" ]; do
    echo "start.sh: none of $apis has an address yet" >&2
    sleep 1
    found=$(servers)
done
render "$found"
nginx -q -e stderr -p "$run" -t -c "$config"

# The look-ups go on beside nginx, which takes this shell's place and with it its signals. A configuration that nginx refuses it names in
# its log and goes on with the old one.
(
    while sleep "$every" && kill -0 $$; do
        now=$(servers)
        if [ -n "$now" ] && [ "$now" != "$found" ]; then
            found=$now
            render "$found"
            kill -HUP $$
        fi
    done
) </dev/null >/dev/null 2>&1 &
exec nginx -e stderr -p "$run" -c "$config"
