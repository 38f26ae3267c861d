#!/usr/bin/env python3
"""A worker for /v1 in Python, with the standard library: worker.py URL QUEUE [LEASE].
It prints each job. A job with the member "boom" fails; one with the member "sleep" takes so many seconds."""
import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from http.client import HTTPException
from urllib import error, request

url, queue, lease = (*sys.argv[1:], 30)[:3]
claim = {"worker": f"py-{os.uname().nodename}-{os.getpid()}", "lease": float(lease), "wait": 5}
signals = []
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, _: signals.append(number))


def call(path, body):
    """Gives the status and the text: 409 when the job is not ours any more, 503 when the server is away."""
    target, headers = f"{url}/v1/queues/{queue}/claims{path}", {"Content-Type": "application/json"}
    if key := os.environ.get("PRESQUE_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    try:
        with request.urlopen(request.Request(target, json.dumps(body).encode(), headers), timeout=30) as answer:
            return answer.status, answer.read()
    except error.HTTPError as refusal:
        if refusal.code < 500 and refusal.code not in (408, 409):
            sys.exit(refusal.read().decode())
        return 409 if refusal.code == 409 else 503, b""
    except (OSError, HTTPException):
        return 503, b""


def work(payload, lost):
    """Does the job and gives its result, or raises. It ends early when the job is lost."""
    if isinstance(payload, dict):
        if lost.wait(payload.get("sleep", 0)) or "boom" in payload:
            raise RuntimeError(payload.get("boom", "lost"))
    print(json.dumps(payload), file=sys.stderr, flush=True)
    return "printed"


threads = ThreadPoolExecutor(max_workers=1)
while not signals:
    status, text = call("", claim)
    if status >= 500:
        time.sleep(1)  # the server is away
    for job in json.loads(text)["jobs"] if status == 200 else ():
        path, lost = f"/{job['receipt']}", threading.Event()
        task = threads.submit(work, job.get("payload"), lost)
        while not wait([task], timeout=claim["lease"] / 3).done:
            if call(f"{path}/extend", {})[0] == 409:
                lost.set()
        why = task.exception()
        end = (f"{path}/nack", {"error": str(why)[:1000]}) if why else (f"{path}/ack", {"result": task.result()})
        while not lost.is_set() and call(*end)[0] >= 500:
            time.sleep(1)  # a repeated ack or nack does no harm
