//! Answers, right and wrong.

use super::*;
use http::{HeaderName, HeaderValue};

const ID: &str = "0000000000011a1fc55701b4";

/// Headers as they should be, with others, which take the place of those of the same name; an empty one goes.
fn headers(media: &'static str, body: &str, others: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(media));
    headers.insert("content-length", HeaderValue::from(body.len()));
    for (name, value) in others {
        let name = HeaderName::from_static(name);
        match *value {
            "" => _ = headers.remove(name),
            value => _ = headers.insert(name, HeaderValue::from_static(value)),
        }
    }
    headers
}

fn checked(call: &str, status: u16, body: &Value, others: &[(&'static str, &'static str)]) -> Checked {
    let (method, path) = call.split_once(' ').unwrap();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let media = if status < 400 {
        "application/json"
    } else {
        "application/problem+json"
    };
    let headers = headers(media, &body, others);
    CONTRACT.check(method, path, status, &headers, body.as_bytes())
}

fn problem(name: &str, status: u16) -> Value {
    let kind = format!("urn:presque:problem:{name}");
    json!({"type": kind, "title": "t", "status": status, "detail": "d"})
}

fn ready() -> Value {
    json!({"id": ID, "queue": "q", "state": "ready", "priority": 4, "inserted_at": "2026-11-21T04:20:20.123Z",
        "attempt": 0, "failures": 0, "lost_leases": 0, "payload": null})
}

/// An object with some members more; null takes one out.
fn with(mut object: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => _ = object.as_object_mut().unwrap().remove(name),
            value => object[name] = value.clone(),
        }
    }
    object
}

#[test]
fn what_is_right_passes() {
    let job = &*format!("GET /v1/queues/q/jobs/{ID}");
    let claimed = json!({"state": "active", "attempt": 1, "receipt": format!("{ID}-1"),
        "claimed_at": "2026-11-21T04:20:20.123Z", "lease_ends_at": "2026-11-21T04:21:20.123Z"});
    let pointed = with(problem("invalid-request", 422), json!({"pointer": "/jobs/0/a~1b"}));
    let inserted = json!({"id": ID, "queue": "q"});
    let cases = [
        ("POST /v1/queues/q/jobs", 201, inserted.clone()),
        ("POST /v1/queues/q/jobs/", 201, json!({"jobs": [inserted.clone()]})),
        (
            "POST /v1/queues/a%2Fb/jobs",
            200,
            with(inserted, json!({"duplicate": true})),
        ),
        (job, 200, ready()),
        (job, 200, with(ready(), json!({"payload": null, "payload_text": "{"}))),
        (job, 404, problem("no-such-job", 404)),
        ("GET /v1/queues/q/jobs", 200, json!({"jobs": [ready()], "next": null})),
        (
            "GET /v1/queues/q/jobs",
            422,
            with(problem("invalid-request", 422), json!({"parameter": "state"})),
        ),
        (
            "POST /v1/queues/q/claims",
            200,
            json!({"jobs": [with(ready(), claimed)]}),
        ),
        ("POST /v1/queues/q/claims", 204, Value::Null),
        ("POST /v1/claims", 422, pointed),
        ("DELETE /v1/queues/q", 204, Value::Null),
        ("GET /v1/nowhere", 404, problem("not-found", 404)),
        ("GET /v1", 404, problem("not-found", 404)),
        ("GET /v1/queues", 403, problem("scope-missing", 403)),
        ("GET /v1/workers", 400, problem("ambiguous-host", 400)),
        ("GET /v1/nowhere", 403, problem("cross-site-request", 403)),
        ("PATCH /v1/queues", 421, problem("misdirected-request", 421)),
    ];
    for (call, status, body) in cases {
        assert_eq!(checked(call, status, &body, &[]), Ok(()), "{call} {status} {body}");
    }
    let all = [("allow", "POST, GET, HEAD, OPTIONS")];
    assert_eq!(checked("OPTIONS /v1/queues/q/jobs", 204, &Value::Null, &all), Ok(()));
    assert_eq!(
        checked(
            "PATCH /v1/queues/q/jobs",
            405,
            &problem("method-not-allowed", 405),
            &all
        ),
        Ok(())
    );
    for (call, name) in [
        ("GET /v1/health", "store-lost"),
        ("OPTIONS /v1/claims", "not-configured"),
    ] {
        let failed = checked(call, 503, &problem(name, 503), &[("retry-after", "1")]);
        assert_eq!(failed, Ok(()), "{call}");
    }
    assert_eq!(
        checked("HEAD /v1/health", 200, &Value::Null, &[("content-length", "9")]),
        Ok(())
    );
}

#[test]
fn what_is_wrong_is_found() {
    let job = &*format!("GET /v1/queues/q/jobs/{ID}");
    let one = |more: Value| json!({"jobs": [with(ready(), more)]});
    let cases: &[(&str, u16, Value, &str)] = &[
        (job, 202, ready(), "has no such status"),
        (job, 200, with(ready(), json!({"surprise": 1})), "/surprise: not known"),
        (
            job,
            200,
            with(ready(), json!({"receipt": format!("{ID}-1")})),
            "/receipt: not known",
        ),
        (job, 200, with(ready(), json!({"payload": null})), "fits 0 of 2"),
        (job, 200, with(ready(), json!({"payload_text": "x"})), "fits 2 of 2"),
        (
            job,
            200,
            with(ready(), json!({"reason": "failed"})),
            "/reason: must not be there",
        ),
        (
            job,
            200,
            with(ready(), json!({"state": "scheduled"})),
            "run_at is missing",
        ),
        (
            job,
            200,
            with(ready(), json!({"inserted_at": "2026-11-21T04:20:20Z"})),
            "/inserted_at",
        ),
        (job, 404, problem("not-found", 404), "/type"),
        (job, 404, problem("no-such-job", 400), "/status"),
        (
            "POST /v1/queues/q/jobs",
            200,
            json!({"id": ID, "queue": "q"}),
            "duplicate is missing",
        ),
        (
            "POST /v1/queues/q/claims",
            200,
            json!({"jobs": []}),
            "fits 0 of 2 with anyOf",
        ),
        ("POST /v1/queues/q/claims", 200, one(json!({})), "receipt is missing"),
        ("POST /v1/queues/q/claims", 204, json!({}), "must have no body"),
        (
            "POST /v1/claims",
            422,
            problem("invalid-request", 422),
            "pointer is missing",
        ),
        (
            "GET /v1/health",
            503,
            problem("store-lost", 503),
            "Retry-After is missing",
        ),
        (
            "GET /v1/nowhere",
            405,
            problem("method-not-allowed", 405),
            "must be 404",
        ),
        ("PATCH /v1/health", 405, problem("method-not-allowed", 405), "Allow is"),
        ("get /v1/health", 200, json!({}), "must be 405"),
        ("PATCH /v1/health", 404, problem("not-found", 404), "must be 405"),
        ("HEAD /v1/health", 200, json!({}), "a length and no body"),
    ];
    for (call, status, body, reason) in cases {
        let found = checked(call, *status, body, &[]).expect_err(&format!("{call} {status} {body}"));
        assert!(found.contains(reason), "{call} {status} {body}: {found}");
    }
    let wrong_header = |name, value| checked(job, 200, &ready(), &[(name, value)]);
    assert!(wrong_header("content-type", "text/html").is_err());
    assert!(wrong_header("content-length", "").is_err());
    let lost = problem("store-lost", 503);
    assert!(checked("GET /v1/health", 503, &lost, &[("retry-after", "soon")]).is_err());
}

#[test]
fn two_headers_of_a_name_are_as_one_with_a_list() {
    let body = problem("key-needed", 401).to_string();
    let check = |challenges: &[&'static str]| {
        let mut headers = headers("application/problem+json", &body, &[]);
        for challenge in challenges {
            headers.append("www-authenticate", HeaderValue::from_static(challenge));
        }
        CONTRACT.check("GET", "/v1/queues", 401, &headers, body.as_bytes())
    };
    let (bearer, basic) = ("Bearer realm=\"presque\"", "Basic realm=\"presque\", charset=\"UTF-8\"");
    for right in [&[bearer, basic][..], &[bearer]] {
        assert_eq!(check(right), Ok(()));
    }
    for wrong in [&[][..], &[basic], &[basic, bearer]] {
        assert!(check(wrong).unwrap_err().contains("WWW-Authenticate"), "{wrong:?}");
    }
}

#[test]
fn a_payload_may_be_json_that_no_value_can_hold() {
    let body = br#"{"id":1,"payload":1e999}"#;
    let headers = headers("application/json", &String::from_utf8_lossy(body), &[]);
    check("GET", "/v1/queues/q/jobs/1", 200, &headers, body);
}

#[test]
#[should_panic(
    expected = "GET /v1/health?x=1 -> 200 is not as docs/openapi.yaml has it: the body: : status is missing"
)]
fn a_wrong_answer_makes_the_test_fail() {
    check(
        "GET",
        "/v1/health?x=1",
        200,
        &headers("application/json", "{}", &[]),
        b"{}",
    );
}

#[test]
fn other_answers_are_passed_by() {
    check("GET", "/q/v1", 200, &HeaderMap::new(), b"what it may be");
}
