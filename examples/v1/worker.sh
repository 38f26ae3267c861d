#!/bin/sh
# A worker for /v1 in shell, with curl and jq: worker.sh URL QUEUE [LEASE], for example worker.sh http://127.0.0.1:3000 mail
# It prints each job. A job with the member "boom" fails; one with the member "sleep" takes so many seconds.
set -u
claims=$1/v1/queues/$2/claims lease=${3:-30} stop=''
claim="{\"worker\":\"sh-$(uname -n)-$$\",\"lease\":$lease,\"wait\":5}"
pause=$(jq -n "$lease / 3")
trap 'stop=yes' TERM INT

# call PATH BODY: prints the answer's body, then its status on a line of its own. It fails when the server is away.
# curl reads the key, if there is one: its arguments can be seen by others.
call() (
  trap '' INT # Ctrl-C reaches curl as well, and a claim that breaks off could take a job for nobody.
  printf %s "${PRESQUE_KEY:+header = \"Authorization: Bearer $PRESQUE_KEY\"}" | curl -K - -s -m 30 -w '\n%{http_code}' -H 'Content-Type: application/json' --data-binary "$2" "$claims$1"
)

# work JOB: does the job and prints its result, in JSON. When it fails, it prints why and is not 0.
work() (
  trap '' INT
  sleep "$(printf '%s' "$1" | jq '(.payload | objects | .sleep) // 0')"
  why=$(printf '%s' "$1" | jq -r '(.payload | objects | .boom) // empty')
  [ -z "$why" ] || { printf '%s' "$why"; exit 1; }
  printf '%s' "$1" | jq -c .payload >&2
  printf '"printed"'
)

# extend RECEIPT: extends the lease from time to time, until it is killed or the job is not ours any more.
extend() {
  trap 'kill "$nap"; exit' TERM
  while :; do
    sleep "$pause" &
    nap=$!
    wait "$nap"
    kill -0 "$$" 2>/dev/null || return # The worker was killed: its lease must end.
    case $(call "/$1/extend" '{}') in *409) return ;; esac
  done
}

while [ -z "$stop" ]; do
  answer=$(call '' "$claim") || answer=503
  case $answer in
    *200) ;;
    *204) continue ;;
    *5?? | *408) sleep 1; continue ;; # the server is away
    *) printf '%s\n' "$answer" >&2; exit 1 ;;
  esac
  job=$(printf '%s' "${answer%???}" | jq -c '.jobs[0]')
  receipt=$(printf '%s' "$job" | jq -r .receipt)
  extend "$receipt" 2>/dev/null &
  if output=$(work "$job"); then
    path="/$receipt/ack" body="{\"result\":$output}"
  else
    path="/$receipt/nack" body=$(jq -n --arg why "$output" '{error: $why[:1000]}')
  fi
  kill "$!" 2>/dev/null
  # A repeated ack or nack does no harm.
  until answer=$(call "$path" "$body") && case $answer in *5?? | *408) false ;; esac; do sleep 1; done
  case $answer in *200 | *409) ;; *) printf '%s\n' "$answer" >&2; exit 1 ;; esac
done
