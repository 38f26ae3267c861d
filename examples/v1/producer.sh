#!/bin/sh
# A producer for /v1 in shell, with curl and jq: producer.sh URL QUEUE NAME < JOBS, a line of JSON for each.
# It prints their ids. When it broke off, run it again with the same name and the same jobs: none is inserted twice.
set -u
jobs=$1/v1/queues/$2/jobs name=$3 number=0
folder=$(mktemp -d) || exit 1
trap 'rm -r "$folder"' EXIT

# insert FILE KEY: inserts the jobs of the file, up to 1000, all or none, and prints their ids.
# curl reads the key, if there is one: its arguments can be seen by others.
insert() {
  # The lines are sent as they are: jq looks at them only, since it rounds long numbers.
  jq -Rn 'inputs | fromjson | empty' "$1" || return 1
  {
    printf '{"jobs":['
    sed -e 's/^/{"payload":/' -e '$!s/$/},/' -e '$s/$/}/' "$1"
    printf ']}'
  } >"$folder/body"
  for pause in 0.1 0.2 0.4 0.8 1.6 3.2 6.4 10 10 10; do
    answer=$(
      printf %s "${PRESQUE_KEY:+header = \"Authorization: Bearer $PRESQUE_KEY\"}" |
        curl -K - -s -m 30 -w '\n%{http_code}' -H 'Content-Type: application/json' -H "Idempotency-Key: \"$2\"" \
          --data-binary "@$folder/body" "$jobs"
    ) || answer=503 # whether it was stored is not known: the key makes it safe to ask again
    case $answer in
      *2??) printf %s "${answer%???}" | jq -r '.jobs[].id'; return ;;
      *5?? | *408) sleep "$pause" ;;
      *) printf %s "${answer%???}" | jq -r '.type + ": " + .detail' >&2; return 1 ;;
    esac
  done
  echo 'the server is away' >&2
  return 1
}

split -a 6 -l 1000 - "$folder/batch-"
for batch in "$folder"/batch-*; do
  [ -f "$batch" ] || break
  number=$((number + 1))
  insert "$batch" "$name-$number" || exit 1
done
