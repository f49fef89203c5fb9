#!/bin/bash
# Succeeds when this container answers GET PATH on PORT with 200. Bash only: the images have no curl.
#   healthcheck.sh PORT PATH
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
IFS= read -r -t 4 status <&3
[[ $status == HTTP/1.?\ 200* ]]
