#!/usr/bin/env python3
"""A worker in Python, with the standard library: worker.py URL QUEUE.

Where the server asks for a key, it is a password in the URL: http://x:KEY@host:port. It prints each job. A job with the member "boom" fails, and is tried five times in all.
"""

import base64
import json
import os
import signal
import socket
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

url, queue = sys.argv[1:3]
# urllib takes no login out of a URL.
parts = urllib.parse.urlsplit(url)
login, _, host = parts.netloc.rpartition("@")
url = parts._replace(netloc=host).geturl()
worker = f"py-{socket.gethostname()}-{os.getpid()}"
stopped = threading.Event()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stopped.set())


def call(method, path, body=None):
    """Gives the status and the body; status 0 when the server is away."""
    headers = {"Content-Type": "application/json", "X-presque-workerid": worker}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(urllib.parse.unquote(login).encode()).decode()
    request = urllib.request.Request(url + path, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except urllib.error.URLError:
        return 0, b""


def work(job):
    """Does the job, or raises."""
    if isinstance(job, dict) and "boom" in job:
        raise RuntimeError(job["boom"])
    print(json.dumps(job), file=sys.stderr, flush=True)


call("POST", f"/w/{queue}", b"{}")
while not stopped.is_set():
    status, body = call("GET", f"/q/{queue}")
    if status != 200:
        stopped.wait(1)  # nothing to do, or the server is away
        continue
    job = json.loads(body)
    try:
        work(job)
    except Exception as error:
        job.setdefault("fail", []).append(str(error))
        job["retries_left"] = job.get("retries_left", 5) - 1
        if job["retries_left"] > 0:
            call("PUT", f"/q/{queue}", json.dumps(job).encode())
call("DELETE", f"/w/{queue}")
