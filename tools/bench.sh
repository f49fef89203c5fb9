#!/usr/bin/env bash
# Measures the gateway beside nginx in one run on loopback: CPU a request (plain and HTTPS upstream), latency over one connection and at a
# constant rate, streams, memory, start time, ledger rate, what each feature costs. Prints a table; writes bench-results.json and
# bench-results.html (plots, no network) into the current folder.
#
#   tools/bench.sh [--quick] [--build-dir DIR] [--no-gateway] [--rounds N] [--seconds T] [--rate R] [--only PARTS]
#                  [--compare FILE [--strict]] [--write-baseline] [--from FILE]
#
#   --quick           3 short rounds, no toll and no peers: under a minute with a finished build; a look, no verdict
#   --build-dir DIR   take the programs from DIR as they are (default: build the preset `bench` in build/bench)
#   --no-gateway      nginx and the fake provider only
#   --rounds N        alternating rounds of each kind: the median counts, the range stands beside it (default 5, with --quick 3)
#   --seconds T       length of a round (default 6, with --quick 0.8)
#   --rate R          requests a second of the open loop (default 2000)
#   --only PARTS      some of start,cpu,latency,open,streams,ledger,toll,peers
#   --compare FILE    also print this run against a baseline of ratios (bench-baseline.json), with what became better or worse
#   --strict          exit code 1 when something became worse
#   --write-baseline  write this run's ratios into bench-baseline.json in the current folder; on a quiet machine, with all parts
#   --from FILE       measure nothing, take an earlier bench-results.json
#
# PEERS="COMMAND …" measures other gateways beside us: each is started as `COMMAND UPSTREAM PORT` (tools/bench/README.md).
# With two cores or more everything measured has the first, the fake provider and the load generator the second.
set -euo pipefail

# shellcheck source=tools/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

for argument; do
    case $argument in
        -h | --help)
            aim_help "${BASH_SOURCE[0]}"
            exit 0
            ;;
    esac
done
exec python3 -B "$AIM_ROOT/tools/bench/bench.py" "$@"
