#!/bin/sh
# Makes a folder of data for Redis or Valkey from a copy of its data: restore.sh COPY FOLDER
# A Redis with an append-only file does not look at copies. So one without reads this copy, and then writes such a file.
set -eu

fail() {
  echo "error: $1" >&2
  exit 1
}

# first NAME...: the first of these programs that is there.
first() {
  for name in "$@"; do
    command -v "$name" && return
  done
  fail "none of these is in the PATH: $*"
}

[ $# = 2 ] || fail "give the copy and the folder: restore.sh COPY FOLDER"
copy=$1 folder=$2
server=${PRESQUE_REDIS_SERVER:-$(first redis-server valkey-server)}
cli=$(first redis-cli valkey-cli)
[ ! -e "$folder/appendonlydir" ] || fail "$folder has data already"
mkdir -p -m 700 "$folder"
cp "$copy" "$folder/dump.rdb"
# The path of a socket must be short.
sockets=$(mktemp -d)
"$server" --port 0 --unixsocket "$sockets/redis" --dir "$folder" --save '' --appendonly no --logfile restore.log &
pid=$!
# A server that cannot write its file refuses to end otherwise.
trap 'kill -9 "$pid" 2>/dev/null || true; rm -r "$sockets"' EXIT
trap 'exit 1' INT TERM

ask() {
  "$cli" -s "$sockets/redis" "$@"
}

# failed WHY: with the end of the server's log.
failed() {
  tail "$folder/restore.log" >&2 || true
  fail "$1: remove $folder before you try again"
}

# until_it_says WORD COMMAND...: waits until the answer to a command of Redis contains the word.
until_it_says() {
  word=$1
  shift
  while true; do
    case $(ask "$@" 2>/dev/null || true) in
      *"$word"*) return ;;
      *aof_last_bgrewrite_status:err*) failed "the append-only file cannot be written" ;;
    esac
    kill -0 "$pid" 2>/dev/null || failed "the server has ended"
    sleep 0.1
  done
}

until_it_says PONG PING
[ "$(ask CONFIG SET appendonly yes)" = OK ] || failed "the append-only file cannot be written"
until_it_says aof_rewrite_scheduled:0 INFO persistence
until_it_says aof_rewrite_in_progress:0 INFO persistence
until_it_says aof_last_bgrewrite_status:ok INFO persistence
ask INFO keyspace
ask SHUTDOWN NOSAVE >/dev/null 2>&1 || true
wait "$pid" || true
rm "$folder/dump.rdb" "$folder/restore.log"
