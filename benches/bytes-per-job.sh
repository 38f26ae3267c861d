#!/bin/sh
# How many bytes of Redis' memory a job takes beyond its payload: bytes-per-job.sh URL REDIS_URL
# It deletes the queue `bytes-per-job`, and fills it again for each row. Nobody else should use that Redis meanwhile.
set -eu
queue=$1/v1/queues/bytes-per-job redis=$2
many=20000 payload=$(printf '%0100d' 0)

used() {
  redis-cli -u "$redis" INFO memory | tr -d '\r' | sed -n 's/^used_memory://p'
}

send() {
  curl -sf -o /dev/null "$@"
}

# fill OPTIONS: inserts the jobs, 1000 at a time.
fill() {
  batch=$(jq -nc --arg payload "$payload" "{jobs: [range(1000) | . as \$n | {payload: \$payload} + $1]}")
  for n in $(seq $((many / 1000))); do
    # What differs from job to job is made to differ from batch to batch as well.
    printf %s "$batch" | sed "s/BATCH/$n/g" | send -d @- "$queue/jobs"
  done
}

# act PATH BODY: claims all jobs, 100 at a time, and does this with them if a path is given.
act() {
  for n in $(seq $((many / 100))); do
    claim=$(curl -sf -d '{"count":100,"lease":3600,"worker":"w"}' "$queue/claims")
    if [ -n "$1" ]; then
      printf %s "$claim" | jq -c "$2" | send -d @- "$queue/claims/$1"
    fi
  done
}

# row WORDS OPTIONS [PATH BODY]
row() {
  send -X DELETE "$queue"
  send -X PUT -d '{"retain":3600,"max_dead":100000}' "$queue"
  before=$(used)
  fill "$2"
  [ $# -eq 2 ] || act "$3" "$4"
  # 102 bytes with the quotes.
  echo "| $1 | $((($(used) - before) / many - 102)) |"
}

echo '| a job that is | bytes |'
echo '|---|---|'
row 'ready, without options' '{}'
row 'ready, with a priority' '{priority: 9}'
row 'ready, with a unique key of 12 bytes' '{unique: {key: "\($n + 100000)-BATCH"}}'
row 'ready, with metadata of 20 bytes' '{metadata: {team: 7, from: "app"}}'
row 'scheduled' '{delay: 3600}'
row 'active' '{}' '' ''
row 'done, with a result of 6 bytes' '{}' ack '{acks: [.jobs[] | {receipt, result: "sent"}]}'
row 'dead, with an error of 20 bytes' '{}' nack '{nacks: [.jobs[] | {receipt, error: "connection timed out", dead: true}]}'
send -X DELETE "$queue"
