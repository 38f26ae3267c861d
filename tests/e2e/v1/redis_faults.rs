//! What the responses say when Redis fails.

use super::{Server, problem, text};
use crate::support::{Answer, Cut, Host, HostOptions, Proxy, Redis};
use serde_json::json;

fn assert_can_be_tried_again(answer: &Answer, name: &str) {
    let body = problem(answer, 503, name);
    assert_eq!(answer.header("retry-after"), Some("1"), "{body}");
    assert!(!text(&body["detail"]).contains("127.0.0.1"), "{body}");
}

#[tokio::test]
async fn without_redis_nothing_is_done_and_that_is_said() {
    let mut redis = Redis::start();
    redis.server.kill().unwrap();
    let host = Host::on(&redis);
    let client = host.client();
    let server = Server { redis, host, client };
    for (method, target, body) in [
        ("POST", "/v1/queues/x/jobs", r#"{"payload":1}"#),
        ("GET", "/v1/queues/x", ""),
        ("PUT", "/v1/queues/x", ""),
        ("DELETE", "/v1/queues/x", ""),
        ("POST", "/v1/queues/x/claims", r#"{"wait":1}"#),
        ("GET", "/v1/workers", ""),
        ("GET", "/v1/health", ""),
    ] {
        assert_can_be_tried_again(&server.send(method, target, body).await, "store-unreachable");
    }
    // What is wrong with the request is said all the same.
    problem(&server.post("/v1/queues/x/jobs", "{").await, 400, "malformed-json");
}

#[tokio::test]
async fn an_insert_whose_answer_was_lost_can_be_sent_again_with_its_key() {
    let redis = Redis::start();
    let proxy = Proxy::before(redis.server.port());
    let host = Host::start(HostOptions {
        redis_url: Some(proxy.url()),
        args: &["--max-instance-reuse-count", "100000", "--idle-instance-timeout", "60s"],
        ..HostOptions::default()
    });
    let client = host.client();
    let server = Server { redis, host, client };
    let send = async || {
        let headers = [super::JSON, ("Idempotency-Key", "order-7")];
        server
            .client
            .send("POST", "/v1/queues/x/jobs", &headers, r#"{"payload":1}"#)
            .await
    };
    server.insert("y", r#"{"payload":1}"#).await;
    proxy.cut(Cut::Replies);
    assert_can_be_tried_again(&send().await, "store-lost");
    proxy.cut(Cut::Nothing);
    assert_eq!(send().await.status, 201);
    assert_eq!(server.counts("x").await["ready"], 1);
    server.assert_sound().await;
}

#[tokio::test]
async fn a_redis_that_refuses_is_told_apart() {
    let server = Server::start();
    server.redis.run("SET presque:{x}:meta 1").await;
    let answer = server.post("/v1/queues/x/jobs", r#"{"payload":1}"#).await;
    assert_can_be_tried_again(&answer, "store-refused");
}

#[tokio::test]
async fn a_full_redis_takes_no_jobs_and_lets_them_be_finished() {
    let server = Server::start();
    for _ in 0..3 {
        server.insert("x", r#"{"payload":1}"#).await;
    }
    let held = server.claim_one("x").await;
    server.redis.run("CONFIG SET maxmemory 1").await;
    let answer = server.post("/v1/queues/x/jobs", r#"{"payload":2}"#).await;
    problem(&answer, 507, "store-full");
    assert_eq!(answer.header("retry-after"), None);
    problem(&server.send("PUT", "/v1/queues/y", "").await, 507, "store-full");
    let job = server.claim_one("x").await;
    for receipt in [&held["receipt"], &job["receipt"]] {
        assert_eq!(server.finish("x", receipt, "ack", "").await["status"], "done");
    }
    let receipt = server.claim_one("x").await["receipt"].clone();
    assert_eq!(
        server.finish("x", &receipt, "nack", json!({"delay": 5})).await["status"],
        "scheduled"
    );
    server.redis.run("CONFIG SET maxmemory 0").await;
    server.insert("x", r#"{"payload":2}"#).await;
    server.assert_sound().await;
}
