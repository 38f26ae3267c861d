"""What schemathesis cannot know of the requests that it makes: what docs/openapi.yaml says in words."""

import itertools
import re

import schemathesis

# The receipts that claims gave, each with its queue.
receipts = []

# The idempotency keys that were sent.
sent_keys = set()
turns = itertools.count()


def is_number(value):
    return type(value) in (int, float)


@schemathesis.hook
def before_call(context, case, kwargs):
    body, headers = case.body, case.headers
    # A header that is not UTF-8 does not reach presque.
    for name, value in list(headers.items()):
        headers[name] = str(value).encode("ascii", "ignore").decode()
    # A claim may wait for a minute: here for no more than a moment.
    if isinstance(body, dict) and is_number(body.get("wait")) and 0 < body["wait"] <= 60:
        body["wait"] = min(body["wait"], 0.01)
    if "wait" in headers.get("Prefer", ""):
        headers["Prefer"] = "wait=0"
    # A job must not expire before its delay is over. Both are rounded to milliseconds.
    jobs = body.get("jobs", [body]) if isinstance(body, dict) else []
    for job in filter(lambda job: isinstance(job, dict), jobs if isinstance(jobs, list) else []):
        delay, expires_in = job.get("delay"), job.get("expires_in")
        if is_number(delay) and is_number(expires_in) and delay + 0.001 >= expires_in:
            del job["delay"]
    # A cursor is for the search that gave it.
    if isinstance(body, dict) and case.path.endswith("/jobs/search") and "state" in body:
        body.pop("cursor", None)
    # A receipt comes from a claim.
    path = case.path_parameters
    if receipts and re.fullmatch("[0-9a-f]{24}-[1-9][0-9]{0,9}", str(path.get("receipt"))):
        path["queue"], path["receipt"] = receipts.pop()
    # The second request with a key gets the first one's answer, or is refused. Keys are the same with quotes and without.
    key = re.sub(r'[\\"]', "", str(headers.get("Idempotency-Key")))
    if key in sent_keys:
        headers.pop("Idempotency-Key", None)
    sent_keys.add(key)
    # Few preconditions hold, and where one does not, nothing else of the request is looked at.
    if next(turns) % 4:
        headers.pop("If-Match", None)
        headers.pop("If-None-Match", None)


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200 and case.path.endswith("/claims"):
        receipts.extend((job["queue"], job["receipt"]) for job in response.json()["jobs"])
