"""What schemathesis cannot know of the requests that it makes."""

import schemathesis

# The idempotency keys that were sent, each with its queue.
sent_keys = set()


@schemathesis.hook
def before_call(context, case, kwargs):
    # Of what a claim may wait, no more than a moment.
    if isinstance(case.body, dict):
        wait = case.body.get("wait")
        if type(wait) in (int, float) and 0 < wait <= 60:
            case.body["wait"] = min(wait, 0.01)
    if "wait" in case.headers.get("Prefer", ""):
        case.headers["Prefer"] = "wait=0"
    # The second request with a key gets the first one's answer, or is refused.
    key = (case.path_parameters.get("queue"), case.headers.get("Idempotency-Key"))
    if key in sent_keys:
        del case.headers["Idempotency-Key"]
    elif key[1] is not None:
        sent_keys.add(key)
