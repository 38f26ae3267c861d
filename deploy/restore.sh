#!/bin/sh
# Makes a folder of data for Redis from a copy of its data: restore.sh COPY FOLDER
# A Redis with an append-only file does not look at copies. So one without reads this copy, and then writes such a file.
set -eu
copy=$1 folder=$2 server=${PRESQUE_REDIS_SERVER:-redis-server}
if [ -e "$folder/appendonlydir" ]; then
  echo "$folder has data already" >&2
  exit 1
fi
mkdir -p -m 700 "$folder"
cp "$copy" "$folder/dump.rdb"
# The path of a socket must be short.
sockets=$(mktemp -d)
"$server" --port 0 --unixsocket "$sockets/redis" --dir "$folder" --save '' --appendonly no --logfile restore.log &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; rm -r "$sockets"' EXIT

# until_it_says WORD COMMAND...: waits until the answer to a command of Redis contains the word.
until_it_says() {
  word=$1
  shift
  until redis-cli -s "$sockets/redis" "$@" 2>/dev/null | grep -q "$word"; do
    kill -0 "$pid" 2>/dev/null || { tail "$folder/restore.log" >&2; exit 1; }
    sleep 0.1
  done
}

until_it_says PONG PING
redis-cli -s "$sockets/redis" CONFIG SET appendonly yes >/dev/null
until_it_says aof_rewrite_scheduled:0 INFO persistence
until_it_says aof_rewrite_in_progress:0 INFO persistence
until_it_says aof_last_bgrewrite_status:ok INFO persistence
redis-cli -s "$sockets/redis" INFO keyspace
redis-cli -s "$sockets/redis" SHUTDOWN NOSAVE >/dev/null 2>&1 || true
wait "$pid" || true
rm "$folder/dump.rdb" "$folder/restore.log"
