//! `GET /v1/workers` and `GET /v1/health`.

use super::{Server, body_of, millis, problem, text};
use serde_json::json;

#[tokio::test]
async fn workers_that_claim_by_name_are_listed_with_their_queues() {
    let server = Server::start();
    assert_eq!(
        body_of(&server.get("/v1/workers").await, 200),
        json!({"workers": [], "size": 0})
    );
    server.claim("x", "{}").await;
    server.claim("x", r#"{"worker":"ann\n"}"#).await;
    server.claim("y", r#"{"worker":"bob"}"#).await;
    server.claim("y", r#"{"worker":"ann\n"}"#).await;
    let listed = body_of(&server.get("/v1/workers").await, 200);
    assert_eq!(listed["size"], 2);
    let ann = listed["workers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|worker| worker["worker"] == "ann\n")
        .unwrap();
    let queues: std::collections::BTreeSet<_> = ann["queues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| text(&seen["queue"]))
        .collect();
    assert!(queues.into_iter().eq(["x", "y"]));
    assert!(millis(&ann["last_seen_at"]) > 1_500_000_000_000);
    assert_eq!(ann["last_seen_at"], ann["queues"][0]["last_seen_at"]);
}

#[tokio::test]
async fn health_tells_of_redis_and_warns_when_it_may_drop_jobs() {
    let mut server = Server::start();
    let health = body_of(&server.get("/v1/health").await, 200);
    assert_eq!((&health["status"], &health["warnings"]), (&json!("ok"), &json!([])));
    let redis = &health["redis"];
    assert!(
        text(&redis["version"]).contains('.') && redis["used_memory"].as_u64().unwrap() > 0,
        "{redis}"
    );
    assert_eq!(
        (&redis["maxmemory_policy"], &redis["maxmemory"]),
        (&json!("noeviction"), &json!(0))
    );

    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&redis["persistence"], &redis["replicas"]),
        (&json!("log, always"), &json!(0))
    );
    assert!(text(&redis["can_be_lost"]).contains("nothing that was answered"));

    server.redis.run("CONFIG SET maxmemory-policy allkeys-lru").await;
    server.redis.run("CONFIG SET maxmemory 1000000000").await;
    let health = body_of(&server.get("/v1/health").await, 200);
    assert_eq!(health["redis"]["maxmemory"], 1_000_000_000);
    assert_eq!(health["warnings"][0]["type"], "eviction");
    assert!(text(&health["warnings"][0]["detail"]).contains("allkeys-lru"));

    server.redis.run("CONFIG SET appendfsync everysec").await;
    let health = body_of(&server.get("/v1/health").await, 200);
    assert_eq!(
        health["redis"]["can_be_lost"],
        "When the machine crashes, the last second."
    );
    server.redis.run("CONFIG SET appendonly no").await;
    let health = body_of(&server.get("/v1/health").await, 200);
    assert_eq!(health["redis"]["persistence"], "none");
    assert_eq!(health["warnings"][1]["type"], "persistence");

    server.redis.server.kill().unwrap();
    let answer = server.get("/v1/health").await;
    assert_eq!(answer.status, 503, "{answer:?}");
    problem(&server.get("/v1/health").await, 503, "store-unreachable");
}
