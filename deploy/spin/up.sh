#!/bin/sh
# Serves presque as one process of Spin for each group of routes, on the ports that nginx.conf knows: from 3101 on, or from the
# port that is the first argument. Further arguments are for each `spin up`, as `--variable redis_url=...`. They listen on the loopback,
# or on the address LISTEN. Ends all when it is ended.
set -eu
manifest=$(cd "$(dirname "$0")/../.." && pwd)/spin.toml
port=${1:-3101}
[ $# -eq 0 ] || shift
pids=
trap 'trap - EXIT; kill $pids 2>/dev/null || true; wait' EXIT
trap 'exit 143' TERM INT HUP
for group in queue control status worker v1 metrics dashboard comet restmq; do
    spin up --from "$manifest" --component "$group" --listen "${LISTEN:-127.0.0.1}:$port" "$@" &
    pids="$pids $!"
    port=$((port + 1))
done
wait
