//! The presque dialect and this one on the same queues.

use super::{Server, body_of, millis};
use crate::support::{Cut, Host, HostOptions, Proxy, Redis};
use serde_json::json;

#[tokio::test]
async fn what_either_dialect_inserts_the_other_takes() {
    let server = Server::start();
    let id = server.insert("x", "{\"payload\":{ \"a\" : 1.50 }}").await;
    assert_eq!(server.client.get("/q/x").await.brief(), (200, "{ \"a\" : 1.50 }"));
    assert_eq!(
        server.get(&format!("/v1/queues/x/jobs/{id}")).await.status,
        404,
        "taken for good"
    );

    server.client.insert("/q/x?uniq=k", " {\"z\": 1}\n").await;
    let answer = server.post("/v1/queues/x/claims", "").await;
    assert!(
        answer.text().contains("\"payload\": {\"z\": 1}\n,\"receipt\""),
        "{}",
        answer.text()
    );
    let job = &body_of(&answer, 200)["jobs"][0];
    assert_eq!(
        (&job["unique"], &job["priority"]),
        (&json!({"key": "k", "while": "waiting"}), &json!(4))
    );
    server.finish("x", &job["receipt"], "ack", "").await;
    server.assert_sound().await;
}

#[tokio::test]
async fn a_job_of_2010_that_is_no_json_is_told_as_a_text() {
    let server = Server::start();
    server.client.insert("/q/x", &b"{\"name\":\"caf\xe9\"}"[..]).await;
    let put = server.client.send("PUT", "/q/x", &[super::JSON], "no JSON\n").await;
    assert_eq!(put.status, 201);
    let jobs = server.claim("x", r#"{"count":2}"#).await;
    assert_eq!(jobs[0]["payload_text"], "{\"name\":\"café\"}");
    assert_eq!(jobs[1]["payload_text"], "no JSON\n");
    assert!(jobs.iter().all(|job| job.get("payload").is_none()));
}

#[tokio::test]
async fn a_job_for_later_is_for_later_in_both() {
    let server = Server::start();
    server.client.insert("/q/x?delayed=99999999999", "1").await;
    server.client.insert("/q/x?delayed=9999999999999999", "2").await;
    let jobs = body_of(&server.get("/v1/queues/x/jobs?state=scheduled&payload=true").await, 200);
    assert_eq!(millis(&jobs["jobs"][0]["run_at"]), 99_999_999_999_000);
    // Beyond what RFC 3339 can write.
    assert_eq!(jobs["jobs"][1]["run_at"], "9999-12-31T23:59:59.999Z");
    server.insert("x", r#"{"payload":3,"delay":1000}"#).await;
    assert_eq!(server.client.get("/q/x").await.status, 404);
}

#[tokio::test]
async fn workers_of_2010_hold_their_jobs_under_a_lease_where_the_queue_says_so() {
    let server = Server::start();
    server
        .send(
            "PUT",
            "/v1/queues/x",
            r#"{"legacy_delivery":"at-least-once","lease":2}"#,
        )
        .await;
    for n in 1..=3 {
        server.insert("x", json!({"payload": n})).await;
    }
    let worker = [("X-presque-workerid", "w1")];
    let fetch = async || server.client.send("GET", "/q/x", &worker, "").await;
    assert_eq!(fetch().await.brief(), (200, "1"));
    let counts = server.counts("x").await;
    assert_eq!((&counts["active"], &counts["ready"]), (&json!(1), &json!(2)));
    // Its next fetch finishes the first.
    assert_eq!(fetch().await.brief(), (200, "2"));
    let queue = body_of(&server.get("/v1/queues/x").await, 200);
    assert_eq!(
        (&queue["totals"]["done"], &queue["counts"]["active"]),
        (&json!(1), &json!(1))
    );
    // It crashes: its job is handed out again, to whoever comes.
    let jobs = server.claim("x", r#"{"count":9,"lease":60}"#).await;
    assert_eq!(jobs[0]["payload"], 3);
    let again = server.claim("x", r#"{"wait":30,"lease":60}"#).await;
    assert_eq!(
        (&again[0]["payload"], &again[0]["attempt"], &again[0]["lost_leases"]),
        (&json!(2), &json!(2), &json!(1))
    );
    // Who does not say who it is takes a job for good.
    server.insert("x", r#"{"payload":4}"#).await;
    assert_eq!(server.client.get("/q/x").await.brief(), (200, "4"));
    assert_eq!(server.counts("x").await["ready"], 0);
    server.assert_sound().await;
}

#[tokio::test]
async fn a_queue_that_one_dialect_empties_is_empty_in_both() {
    let server = Server::start();
    let id = server.insert("x", r#"{"payload":1}"#).await;
    server.send("PUT", "/v1/queues/x", r#"{"lease":7}"#).await;
    assert_eq!(server.client.send("DELETE", "/q/x", &[], "").await.status, 204);
    assert_eq!(server.get(&format!("/v1/queues/x/jobs/{id}")).await.status, 404);
    let queue = body_of(&server.get("/v1/queues/x").await, 200);
    assert_eq!(
        queue["settings"]["lease"], 7,
        "the presque dialect knows nothing of settings"
    );
    assert_eq!(queue["counts"]["ready"], 0);
    server.assert_sound().await;
}

#[tokio::test]
async fn a_put_that_is_refused_makes_the_job_ready_that_its_worker_held() {
    let server = Server::start();
    let settings = r#"{"legacy_delivery":"at-least-once","max_bytes":10}"#;
    server.send("PUT", "/v1/queues/x", settings).await;
    server.insert("x", r#"{"payload":1}"#).await;
    let worker = [("X-presque-workerid", "w1"), super::JSON];
    let fetch = async || server.client.send("GET", "/q/x", &worker, "").await;
    assert_eq!(fetch().await.brief(), (200, "1"));
    let put = server.client.send("PUT", "/q/x", &worker, "\"longer than ten\"").await;
    assert_eq!(put.status, 413);
    assert_eq!(fetch().await.brief(), (200, "1"), "it was not finished");
    // Refused before the store is asked.
    let put = server.client.send("PUT", "/q/x", &worker[..1], "1").await;
    assert_eq!(put.status, 400);
    assert_eq!(fetch().await.brief(), (200, "1"), "nor this time");
    server.assert_sound().await;
}

#[tokio::test]
async fn a_job_whose_worker_was_told_of_an_error_instead_is_not_finished_by_its_next_get() {
    let redis = Redis::start();
    let proxy = Proxy::before(redis.server.port());
    let host = Host::start(HostOptions {
        redis_url: Some(proxy.url()),
        ..HostOptions::default()
    });
    let client = host.client();
    let settings = r#"{"legacy_delivery":"at-least-once"}"#;
    client.send("PUT", "/v1/queues/x", &[super::JSON], settings).await;
    client.insert("/q/x", "1").await;
    let worker = [("X-presque-workerid", "w1")];
    proxy.cut(Cut::Replies);
    assert_eq!(client.send("GET", "/q/x", &worker, "").await.status, 503);
    proxy.cut(Cut::Nothing);
    assert_eq!(client.send("GET", "/q/x", &worker, "").await.brief(), (200, "1"));
}
