//! `GET` and `DELETE /v1/queues/{q}/jobs/{id}`, and the list of jobs.

use super::{Server, body_of, problem, wrong_parameter};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_job_that_waits_is_cancelled_and_forgotten() {
    let server = Server::start();
    for job in [r#"{"payload":1}"#, r#"{"payload":1,"delay":1000,"unique":{"key":"k"}}"#] {
        let id = server.insert("x", job).await;
        let target = format!("/v1/queues/x/jobs/{id}");
        let cancelled = body_of(&server.send("DELETE", &target, "").await, 200);
        assert_eq!(cancelled, json!({"id": id, "state": "cancelled"}));
        problem(&server.get(&target).await, 404, "no-such-job");
        problem(&server.send("DELETE", &target, "").await, 404, "no-such-job");
    }
    assert!(server.claim("x", "{}").await.is_empty());
    server.insert("x", r#"{"payload":1,"unique":{"key":"k"}}"#).await;
    server.assert_sound().await;
}

#[tokio::test]
async fn the_holder_of_a_cancelled_job_learns_it() {
    let server = Server::start();
    let id = server.insert("x", r#"{"payload":1}"#).await;
    let receipt = server.claim_one("x").await["receipt"].clone();
    let target = format!("/v1/queues/x/jobs/{id}");
    for _ in 0..2 {
        let cancelled = body_of(&server.send("DELETE", &target, "").await, 200);
        assert_eq!(cancelled["state"], "cancelled");
    }
    let job = server.job("x", &id).await;
    assert_eq!(job["state"], "cancelled");
    assert!(job["kept_until"].is_string() && job["ended_at"].is_string(), "{job}");
    for verb in ["ack", "nack", "extend"] {
        let target = format!("/v1/queues/x/claims/{}/{verb}", super::text(&receipt));
        problem(&server.post(&target, "").await, 409, "job-cancelled");
    }
    let many = server
        .done("/v1/queues/x/claims/ack", json!({"acks": [{"receipt": receipt}]}))
        .await;
    assert_eq!(many["results"], json!([{"receipt": receipt, "status": "cancelled"}]));
    server.assert_sound().await;
}

#[tokio::test]
async fn a_done_or_dead_job_is_forgotten_when_it_is_deleted() {
    let server = Server::start();
    server.send("PUT", "/v1/queues/x", r#"{"retain":3600}"#).await;
    for (verb, body, state) in [
        ("ack", r#"{"result":[1, 2]}"#, "done"),
        ("nack", r#"{"dead":true}"#, "dead"),
    ] {
        let id = server.insert("x", r#"{"payload":1}"#).await;
        let receipt = server.claim_one("x").await["receipt"].clone();
        server.finish("x", &receipt, verb, body).await;
        assert_eq!(server.job("x", &id).await["state"], state);
        let target = format!("/v1/queues/x/jobs/{id}");
        let removed = body_of(&server.send("DELETE", &target, "").await, 200);
        assert_eq!(removed, json!({"id": id, "state": "removed"}));
        problem(&server.get(&target).await, 404, "no-such-job");
    }
    server.assert_sound().await;
}

#[tokio::test]
async fn a_done_job_is_kept_with_its_result_for_as_long_as_its_queue_says() {
    let server = Server::start();
    server.send("PUT", "/v1/queues/x", r#"{"retain":3600}"#).await;
    let id = server.insert("x", r#"{"payload":1}"#).await;
    let receipt = server.claim_one("x").await["receipt"].clone();
    server
        .finish("x", &receipt, "extend", r#"{"progress":{ "percent":40 }}"#)
        .await;
    server
        .finish("x", &receipt, "ack", r#"{"result":{ "sent":true }}"#)
        .await;
    let answer = server.get(&format!("/v1/queues/x/jobs/{id}")).await;
    assert!(
        answer
            .text()
            .contains(r#""progress":{ "percent":40 },"result":{ "sent":true }"#),
        "{}",
        answer.text()
    );
    let job = body_of(&answer, 200);
    assert_eq!(
        super::millis(&job["kept_until"]) - super::millis(&job["ended_at"]),
        3_600_000
    );
    assert_eq!(job.get("worker"), None);
}

async fn page(server: &Server, query: &str) -> (Vec<Value>, Option<String>) {
    let page = body_of(&server.get(&format!("/v1/queues/x/jobs?{query}")).await, 200);
    let next = page["next"].as_str().map(str::to_owned);
    assert!(next.is_some() || page["next"].is_null(), "{page}");
    (page["jobs"].as_array().unwrap().clone(), next)
}

#[tokio::test]
async fn the_jobs_of_a_state_are_listed_page_by_page() {
    let server = Server::start();
    let jobs: Vec<_> = (0..25).map(|n| json!({"payload": n, "priority": n % 10})).collect();
    server.post("/v1/queues/x/jobs", json!({"jobs": jobs})).await;
    let later: Vec<_> = (0..3).map(|n| json!({"payload": n, "delay": 1000 - n})).collect();
    server.post("/v1/queues/x/jobs", json!({"jobs": later})).await;
    server.claim("x", r#"{"count":4}"#).await;

    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let (jobs, next) = page(&server, &format!("state=ready&limit=5&payload=true{cursor}")).await;
        seen.extend(
            jobs.into_iter()
                .map(|job| (job["priority"].as_u64().unwrap(), job["payload"].as_u64().unwrap())),
        );
        let Some(next) = next else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 21);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 21);
    assert!(
        seen.is_sorted_by_key(|(priority, payload)| (9 - priority, *payload)),
        "{seen:?}"
    );

    let (jobs, next) = page(&server, "state=scheduled").await;
    assert_eq!((jobs.len(), next), (3, None));
    assert!(jobs.is_sorted_by_key(|job| super::millis(&job["run_at"])), "{jobs:?}");
    assert!(jobs.iter().all(|job| job.get("payload").is_none()), "not asked for");
    assert_eq!(page(&server, "state=active&limit=4").await.0.len(), 4);
    for state in ["done", "dead", "cancelled"] {
        assert_eq!(page(&server, &format!("state={state}")).await, (vec![], None));
    }
}

#[tokio::test]
async fn large_payloads_make_short_pages_and_none_is_left_out() {
    let server = Server::start();
    let payload = "x".repeat(1_500_000);
    for _ in 0..4 {
        server.insert("x", json!({"payload": payload})).await;
    }
    let (jobs, next) = page(&server, "state=ready&payload=true").await;
    assert!((1..4).contains(&jobs.len()), "{}", jobs.len());
    let (rest, _) = page(&server, &format!("state=ready&payload=true&cursor={}", next.unwrap())).await;
    assert_eq!(jobs.len() + rest.len(), 4);
    assert_eq!(page(&server, "state=ready").await.0.len(), 4);
}

#[tokio::test]
async fn what_is_wrong_with_a_parameter_is_named() {
    let server = Server::start();
    for (query, name) in [
        ("", "state"),
        ("?state=waiting", "state"),
        ("?state=ready&limit=0", "limit"),
        ("?state=ready&limit=201", "limit"),
        ("?state=ready&limit=many", "limit"),
        ("?state=ready&cursor=x", "cursor"),
        ("?state=ready&cursor=1.2", "cursor"),
        ("?state=ready&payload=1", "payload"),
    ] {
        wrong_parameter(&server.get(&format!("/v1/queues/x/jobs{query}")).await, name);
    }
}

#[tokio::test]
async fn what_cannot_be_a_jobs_id_is_the_id_of_no_job() {
    let server = Server::start();
    server.insert("x", r#"{"payload":1}"#).await;
    for id in ["1", "%ff", "00000000002A19A3F0C2B7E9", "00000000002a19a3f0c2b7e9"] {
        problem(
            &server.get(&format!("/v1/queues/x/jobs/{id}")).await,
            404,
            "no-such-job",
        );
        problem(
            &server.send("DELETE", &format!("/v1/queues/x/jobs/{id}"), "").await,
            404,
            "no-such-job",
        );
    }
}
