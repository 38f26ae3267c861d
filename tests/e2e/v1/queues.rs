//! `/v1/queues` and `/v1/queues/{q}`.

use super::{JSON, Server, body_of, problem, wrong_member, wrong_parameter};
use crate::support::Answer;
use serde_json::{Value, json};

fn defaults() -> Value {
    json!({
        "lease": 60, "max_attempts": 25, "max_lost_leases": 10,
        "backoff": {"kind": "exponential", "delay": 1, "max": 3600}, "retain": 0, "dead_retain": 1_209_600,
        "max_dead": 10_000, "max_bytes": null, "legacy_delivery": "at-most-once",
        "partitions": 1, "paused": false,
    })
}

#[tokio::test]
async fn a_queue_is_there_with_its_first_job_and_tells_its_counts() {
    let server = Server::start();
    problem(&server.get("/v1/queues/x").await, 404, "no-such-queue");
    for n in 0..3 {
        server.insert("x", json!({"payload": n})).await;
    }
    server.insert("x", r#"{"payload":1,"delay":1000}"#).await;
    let job = server.claim("x", r#"{"worker":"w"}"#).await.remove(0);
    server.finish("x", &job["receipt"], "ack", "").await;
    let job = server.claim("x", r#"{"worker":"v"}"#).await.remove(0);
    server.finish("x", &job["receipt"], "nack", "").await;
    let mut queue = body_of(&server.get("/v1/queues/x").await, 200);
    let age = queue["oldest_ready_age"].as_f64().expect("an age");
    assert!((0.0..30.0).contains(&age), "{age}");
    for rate in ["inserted", "claimed", "done", "failed"] {
        assert!(queue["rates"][rate].as_f64().expect(rate) >= 0.0);
    }
    for name in ["oldest_ready_age", "rates"] {
        queue.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(
        queue,
        json!({
            "queue": "x", "settings": defaults(),
            "counts": {"ready": 1, "scheduled": 2, "active": 0, "done": 0, "dead": 0, "cancelled": 0},
            "totals": {"claimed": 2, "done": 1, "failed": 1, "lost_leases": 0, "dead": 0, "released": 0, "orphans": 0},
            "workers": 2,
        })
    );
    server.claim_one("x").await;
    let queue = body_of(&server.get("/v1/queues/x").await, 200);
    assert_eq!(queue["oldest_ready_age"], Value::Null);
}

#[tokio::test]
async fn settings_are_set_as_a_whole_and_told_as_they_work() {
    let server = Server::start();
    let settings = json!({
        "lease": 0.5, "max_attempts": 5, "max_lost_leases": 3, "backoff": {"kind": "fixed", "delay": 2.25},
        "retain": 3600, "dead_retain": 60, "max_dead": 0, "max_bytes": 1000, "legacy_delivery": "at-least-once",
        "partitions": 3, "paused": true,
    });
    let created = body_of(&server.send("PUT", "/v1/queues/a%2Fb", &settings).await, 201);
    assert_eq!(created, json!({"queue": "a/b", "settings": settings}));
    let shown = body_of(&server.get("/v1/queues/a%2Fb").await, 200);
    assert_eq!(shown["settings"], settings);
    // What is not told has its default.
    let changed = body_of(
        &server.send("PUT", "/v1/queues/a%2Fb", r#"{"max_attempts":7}"#).await,
        200,
    );
    let mut expected = defaults();
    expected["max_attempts"] = json!(7);
    assert_eq!(changed, json!({"queue": "a/b", "settings": expected}));
    // What GET tells can be PUT.
    let again = body_of(&server.send("PUT", "/v1/queues/a%2Fb", &changed["settings"]).await, 200);
    assert_eq!(again, changed);
    assert_eq!(
        body_of(&server.send("PUT", "/v1/queues/y", "").await, 201)["settings"],
        defaults()
    );
}

#[tokio::test]
async fn a_paused_queue_takes_jobs_and_hands_out_none() {
    let server = Server::start();
    server.send("PUT", "/v1/queues/x", r#"{"paused":true}"#).await;
    server.insert("x", r#"{"payload":1}"#).await;
    assert!(server.claim("x", "{}").await.is_empty());
    assert_eq!(
        server.client.get("/control/x").await.text(),
        r#"{"queue":"x","status":"0"}"#
    );
    server.client.post("/control/x", r#"{"status":"start"}"#).await;
    assert_eq!(
        body_of(&server.get("/v1/queues/x").await, 200)["settings"]["paused"],
        false
    );
    assert_eq!(server.claim_one("x").await["payload"], 1);
}

#[tokio::test]
async fn settings_are_changed_only_when_they_are_as_the_request_wants_them() {
    let server = Server::start();
    let put = async |name: &'static str, value: &str, body: &'static str| -> Answer {
        server
            .client
            .send("PUT", "/v1/queues/x", &[JSON, (name, value)], body)
            .await
    };
    let unmet = |answer: &Answer| {
        problem(answer, 412, "precondition-failed");
    };
    unmet(&put("If-Match", "*", "{}").await);
    unmet(&put("If-Match", "\"0123456789abcdef\"", "{}").await);
    let created = put("If-None-Match", "*", r#"{"lease":10}"#).await;
    assert_eq!(created.status, 201);
    unmet(&put("If-None-Match", "*", "{}").await);
    let first = created.header("etag").expect("a tag").to_owned();
    assert!(
        first.len() > 2 && first.starts_with('"') && first.ends_with('"'),
        "{first}"
    );
    assert_eq!(server.get("/v1/queues/x").await.header("etag"), Some(&*first));
    // Jobs do not change the settings.
    server.insert("x", r#"{"payload":1}"#).await;
    assert_eq!(server.get("/v1/queues/x").await.header("etag"), Some(&*first));

    let changed = put("If-Match", &first, r#"{"lease":20}"#).await;
    let second = changed.header("etag").expect("a tag").to_owned();
    assert_eq!(changed.status, 200);
    assert_ne!(first, second);
    unmet(&put("If-Match", &first, "{}").await);
    // What is not a tag, or a weak one, matches nothing.
    for tag in ["\"*\"", "\"none\"", "\"\"", "", &format!("W/{second}")] {
        unmet(&put("If-Match", tag, "{}").await);
    }
    unmet(&put("If-None-Match", &first, "{}").await);
    assert_eq!(body_of(&server.get("/v1/queues/x").await, 200)["settings"]["lease"], 20);
    assert_eq!(put("If-Match", &format!("{first}, {second}"), "{}").await.status, 200);
    unmet(&put("If-Match", &format!("{first}, {second}"), "{}").await);
    assert_eq!(put("If-Match", "*", "{}").await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_settings_is_pointed_to() {
    let server = Server::start();
    for (settings, pointer) in [
        (json!({"lease": 0}), "/lease"),
        (json!({"lease": 86_401}), "/lease"),
        (json!({"max_attempts": 0}), "/max_attempts"),
        (json!({"max_attempts": null}), "/max_attempts"),
        (json!({"max_lost_leases": 1001}), "/max_lost_leases"),
        (json!({"backoff": {"kind": "fixed", "delay": -1}}), "/backoff/delay"),
        (json!({"retain": 31_536_001}), "/retain"),
        (json!({"dead_retain": 59}), "/dead_retain"),
        (json!({"max_dead": 100_001}), "/max_dead"),
        (json!({"max_bytes": 0}), "/max_bytes"),
        (json!({"max_bytes": 67_108_865}), "/max_bytes"),
        (json!({"partitions": 0}), "/partitions"),
        (json!({"partitions": 65}), "/partitions"),
        (json!({"partitions": 1.5}), "/partitions"),
        (json!({"paused": "yes"}), "/paused"),
        (json!({"legacy_delivery": "exactly-once"}), "/legacy_delivery"),
        (json!({"settings": {}}), "/settings"),
    ] {
        wrong_member(&server.send("PUT", "/v1/queues/x", settings).await, pointer);
    }
    assert_eq!(server.get("/v1/queues/x").await.status, 404);
}

#[tokio::test]
async fn a_deleted_queue_is_gone_with_all_it_had() {
    let server = Server::start();
    server
        .send("PUT", "/v1/queues/x", r#"{"lease":10,"paused":true}"#)
        .await;
    let id = server.insert("x", r#"{"payload":1,"unique":{"key":"k"}}"#).await;
    for _ in 0..2 {
        let deleted = server.send("DELETE", "/v1/queues/x", "").await;
        assert_eq!((deleted.brief(), deleted.header("content-length")), ((204, ""), None));
    }
    assert_eq!(server.get("/v1/queues/x").await.status, 404);
    assert_eq!(server.get(&format!("/v1/queues/x/jobs/{id}")).await.status, 404);
    assert_eq!(
        body_of(&server.get("/v1/queues").await, 200),
        json!({"queues": [], "size": 0})
    );
    assert_ne!(server.insert("x", r#"{"payload":1,"unique":{"key":"k"}}"#).await, id);
    assert_eq!(body_of(&server.get("/v1/queues/x").await, 200)["settings"], defaults());
    server.assert_sound().await;
}

#[tokio::test]
async fn queues_are_listed_whoever_made_them() {
    let server = Server::start();
    assert_eq!(
        body_of(&server.get("/v1/queues").await, 200),
        json!({"queues": [], "size": 0})
    );
    server.insert("b", r#"{"payload":1}"#).await;
    server.client.insert("/q/a\u{2f}%C3%A9", "1").await;
    server.send("PUT", "/v1/queues/c", "").await;
    let listed = body_of(&server.get("/v1/queues/").await, 200);
    assert_eq!(listed, json!({"queues": ["a/é", "b", "c"], "size": 3}));
    let first = body_of(&server.get("/v1/queues?limit=1").await, 200);
    assert_eq!(first, json!({"queues": ["a/é"], "size": 3}));
    for limit in ["0", "10001", "x", ""] {
        wrong_parameter(&server.get(&format!("/v1/queues?limit={limit}")).await, "limit");
    }
}
