//! `/v1/queues/{q}/dead`.

use super::{Server, body_of, problem, wrong_member};
use serde_json::{Value, json};

/// A queue with so many dead jobs; their ids, the oldest first.
async fn with_dead(server: &Server, jobs: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..jobs {
        ids.push(server.insert("x", json!({"payload": n})).await);
        let receipt = server.claim_one("x").await["receipt"].clone();
        server
            .finish("x", &receipt, "nack", r#"{"dead":true,"error":"boom"}"#)
            .await;
    }
    ids
}

#[tokio::test]
async fn dead_jobs_are_made_ready_again_as_if_they_had_not_failed() {
    let server = Server::start();
    let ids = with_dead(&server, 4).await;
    let none = "00000000002a19a3f0c2b7e9";
    let redriven = server
        .done("/v1/queues/x/dead/redrive", json!({"ids": [ids[1], none]}))
        .await;
    assert_eq!(
        redriven,
        json!({"redriven": 1, "conflicts": 0, "unknown": 1, "dead": 3})
    );
    let job = server.claim_one("x").await;
    assert_eq!(
        (&job["id"], &job["failures"], &job["attempt"]),
        (&json!(ids[1]), &json!(0), &json!(2))
    );
    assert_eq!(
        job["errors"].as_array().unwrap().len(),
        1,
        "what went wrong is still told"
    );

    let redriven = server.done("/v1/queues/x/dead/redrive", r#"{"limit":1}"#).await;
    assert_eq!(
        redriven,
        json!({"redriven": 1, "conflicts": 0, "unknown": 0, "dead": 2})
    );
    assert_eq!(server.claim_one("x").await["id"], json!(ids[0]));
    let redriven = server.done("/v1/queues/x/dead/redrive", "").await;
    assert_eq!(
        redriven,
        json!({"redriven": 2, "conflicts": 0, "unknown": 0, "dead": 0})
    );
    assert_eq!(server.claim("x", r#"{"count":9}"#).await.len(), 2);
    server.assert_sound().await;
}

#[tokio::test]
async fn a_dead_job_whose_key_is_held_stays_dead() {
    let server = Server::start();
    let job = r#"{"payload":1,"unique":{"key":"k"}}"#;
    let id = server.insert("x", job).await;
    let receipt = server.claim_one("x").await["receipt"].clone();
    server.finish("x", &receipt, "nack", r#"{"dead":true}"#).await;
    server.insert("x", job).await;
    let redriven = server.done("/v1/queues/x/dead/redrive", json!({"ids": [id]})).await;
    assert_eq!(
        redriven,
        json!({"redriven": 0, "conflicts": 1, "unknown": 0, "dead": 1})
    );
    let receipt = server.claim_one("x").await["receipt"].clone();
    server.finish("x", &receipt, "ack", "").await;
    let redriven = server.done("/v1/queues/x/dead/redrive", "{}").await;
    assert_eq!(redriven["redriven"], 1);
    assert_eq!(
        server.post("/v1/queues/x/jobs", job).await.status,
        200,
        "it holds its key again"
    );
    server.assert_sound().await;
}

#[tokio::test]
async fn dead_jobs_are_forgotten_by_id_by_number_or_all() {
    let server = Server::start();
    let ids = with_dead(&server, 5).await;
    let removed = server
        .done("/v1/queues/x/dead/delete", json!({"ids": [ids[4], ids[4]]}))
        .await;
    assert_eq!(removed, json!({"removed": 1, "unknown": 1, "dead": 4}));
    let removed = server.done("/v1/queues/x/dead/delete", r#"{"limit":2}"#).await;
    assert_eq!(removed, json!({"removed": 2, "unknown": 0, "dead": 2}));
    let left = body_of(&server.get("/v1/queues/x/jobs?state=dead").await, 200);
    let left: Vec<&Value> = left["jobs"].as_array().unwrap().iter().map(|job| &job["id"]).collect();
    assert_eq!(left, [&ids[2], &ids[3]]);
    let removed = body_of(&server.send("DELETE", "/v1/queues/x/dead", "").await, 200);
    assert_eq!(removed, json!({"removed": 2, "unknown": 0, "dead": 0}));
    problem(
        &server.get(&format!("/v1/queues/x/jobs/{}", ids[3])).await,
        404,
        "no-such-job",
    );
    // A queue that never was has none.
    let removed = body_of(&server.send("DELETE", "/v1/queues/y/dead", "").await, 200);
    assert_eq!(removed, json!({"removed": 0, "unknown": 0, "dead": 0}));
    server.assert_sound().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_selection_is_pointed_to_and_none_is_not_all() {
    let server = Server::start();
    let ids = with_dead(&server, 1).await;
    for route in ["redrive", "delete"] {
        for (body, pointer) in [
            (json!({"ids": []}), "/ids"),
            (json!({"ids": ["x"]}), "/ids/0"),
            (json!({"ids": vec![ids[0].clone(); 1001]}), "/ids"),
            (json!({"limit": 0}), "/limit"),
            (json!({"limit": 1001}), "/limit"),
            (json!({"limit": 1, "ids": ids}), "/limit"),
            (json!({"all": true}), "/all"),
        ] {
            wrong_member(&server.post(&format!("/v1/queues/x/dead/{route}"), body).await, pointer);
        }
    }
    for body in ["", "{}"] {
        wrong_member(&server.post("/v1/queues/x/dead/delete", body).await, "");
    }
    assert_eq!(server.counts("x").await["dead"], 1);
}

#[tokio::test]
async fn a_queue_keeps_no_more_dead_jobs_than_it_is_told() {
    let server = Server::start();
    server.send("PUT", "/v1/queues/x", r#"{"max_dead":2}"#).await;
    let ids = with_dead(&server, 4).await;
    assert_eq!(server.counts("x").await["dead"], 2);
    assert_eq!(server.get(&format!("/v1/queues/x/jobs/{}", ids[1])).await.status, 404);
    assert_eq!(server.job("x", &ids[2]).await["state"], "dead");
    server.assert_sound().await;
}
