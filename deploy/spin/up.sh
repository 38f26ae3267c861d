#!/bin/sh
# Serves presque as one process of Spin for each group of routes, on the ports that nginx.conf knows: from 3101 on, or from the
# port that is the first argument. Further arguments are for each `spin up`, as `--variable redis_url=...`. They listen on the loopback,
# or on the address LISTEN. Ends all when it is ended, and with status 1 when one of them has ended by itself.
set -eu
command -v spin >/dev/null || {
    echo "error: spin is not in the PATH" >&2
    exit 127
}
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
# `wait` alone waits for all of them.
while true; do
    for pid in $pids; do
        kill -0 "$pid" 2>/dev/null || {
            echo "error: a process of Spin has ended, so all are ended" >&2
            exit 1
        }
    done
    # In the background, since a signal is handled only while the shell waits.
    sleep 1 &
    wait $!
done
