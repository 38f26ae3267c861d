#!/usr/bin/env python3
"""A producer for /v1 in Python, with the standard library: producer.py URL QUEUE NAME < JOBS, a line of JSON for each.
It prints their ids. When it broke off, run it again with the same name and the same jobs: none is inserted twice."""
import json
import os
import sys
import time
from http.client import HTTPException
from itertools import islice
from urllib import error, request

url, queue, name = sys.argv[1:]
headers = {"Content-Type": "application/json"}
if key := os.environ.get("PRESQUE_KEY"):
    headers["Authorization"] = f"Bearer {key}"


def insert(jobs, idempotency_key):
    """Inserts up to 1000 jobs, each as text, all or none, and gives their ids."""
    body = f'{{"jobs":[{",".join(jobs)}]}}'.encode()
    with_key = headers | {"Idempotency-Key": f'"{idempotency_key}"'}
    for attempt in range(10):
        try:
            call = request.Request(f"{url}/v1/queues/{queue}/jobs", body, with_key)
            with request.urlopen(call, timeout=30) as answer:
                return [job["id"] for job in json.load(answer)["jobs"]]
        except error.HTTPError as refusal:
            if refusal.code < 500 and refusal.code != 408:
                problem = json.load(refusal)
                sys.exit(f"{problem['type']}: {problem['detail']}")
        except (OSError, HTTPException):
            pass  # whether it was stored is not known: the key makes it safe to ask again
        time.sleep(min(0.1 * 2**attempt, 10))
    sys.exit("the server is away")


def job(line):
    """Gives the job with this line as its payload, or raises."""
    json.loads(line)  # looks at it only, since it rounds long numbers: the line is sent as it is
    return f'{{"payload":{line}}}'


number = 0
while lines := list(islice(sys.stdin, 1000)):
    number += 1
    print(*insert([job(line) for line in lines], f"{name}-{number}"), sep="\n")
