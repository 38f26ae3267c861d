#!/bin/sh
# A worker in shell, with curl and jq: worker.sh URL QUEUE, for example worker.sh http://127.0.0.1:3000 mail
# It prints each job. A job with the member "boom" fails, and is tried five times in all.
set -u
url=$1 queue=$2 id="sh-$(uname -n)-$$"
stop='' pause=''
trap 'stop=yes; [ -n "$pause" ] && kill "$pause"' TERM INT

# call METHOD PATH [BODY]: prints the answer's body, then its status on a line of its own.
call() {
  method=$1 path=$2
  shift 2
  curl -s -w '\n%{http_code}' -X "$method" -H 'Content-Type: application/json' -H "X-presque-workerid: $id" \
    ${1+--data-binary "$1"} "$url$path"
}

# work JOB: does the job. When it fails it prints why and is not 0.
work() {
  why=$(printf '%s' "$1" | jq -r 'if type == "object" then .boom // empty else empty end')
  if [ -n "$why" ]; then
    printf '%s\n' "$why"
    return 1
  fi
  printf '%s\n' "$1" >&2
}

call POST "/w/$queue" '{}' >/dev/null
while [ -z "$stop" ]; do
  answer=$(call GET "/q/$queue")
  if [ "${answer##*
}" != 200 ]; then
    # Nothing to do, or the server is away. A signal ends the pause.
    sleep 1 &
    pause=$!
    wait "$pause"
    pause=''
    continue
  fi
  job=${answer%
*}
  if ! why=$(work "$job"); then
    failed=$(printf '%s' "$job" | jq -c --arg why "$why" '.fail += [$why] | .retries_left = (.retries_left // 5) - 1')
    if [ "$(printf '%s' "$failed" | jq .retries_left)" -gt 0 ]; then
      call PUT "/q/$queue" "$failed" >/dev/null
    fi
  fi
done
call DELETE "/w/$queue" >/dev/null
