//! What a job may be told: when it runs, how urgent it is, what it is unique by, when it expires.

use super::{Server, body_of, millis, text};
use serde_json::{Value, json};

fn payloads(jobs: &[Value]) -> Vec<&Value> {
    jobs.iter().map(|job| &job["payload"]).collect()
}

#[tokio::test]
async fn a_job_tells_what_it_was_told() {
    let server = Server::start();
    let id = server
        .insert(
            "x",
            r#"{"payload":1,"delay":90.5,"priority":9,"max_attempts":3,
            "backoff":{"kind":"exponential","delay":0.25,"max":600},"timeout":30,"expires_in":86400,
            "unique":{"key":"ann"},"metadata":{ "team":"b",  "team":"c" }}"#,
        )
        .await;
    let answer = server.get(&format!("/v1/queues/x/jobs/{id}")).await;
    assert!(
        answer.text().contains(r#""metadata":{ "team":"b",  "team":"c" }"#),
        "kept byte for byte"
    );
    let mut job = body_of(&answer, 200);
    let inserted = millis(&job["inserted_at"]);
    assert_eq!(millis(&job["run_at"]) - inserted, 90_500);
    assert_eq!(millis(&job["expires_at"]) - inserted, 86_400_000);
    for name in ["inserted_at", "run_at", "expires_at", "metadata"] {
        job.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(
        job,
        json!({
            "id": id, "queue": "x", "state": "scheduled", "priority": 9, "attempt": 0, "failures": 0, "lost_leases": 0,
            "max_attempts": 3, "backoff": {"kind": "exponential", "delay": 0.25, "max": 600}, "timeout": 30,
            "unique": {"key": "ann", "while": "unfinished"}, "payload": 1,
        })
    );
}

#[tokio::test]
async fn a_job_runs_at_its_time_and_before_that_it_is_scheduled() {
    let server = Server::start();
    let later = server
        .insert("x", r#"{"payload":1,"run_at":"2999-01-01T01:00:00.0005+01:00"}"#)
        .await;
    assert_eq!(server.job("x", &later).await["run_at"], "2999-01-01T00:00:00.001Z");
    assert!(server.claim("x", "{}").await.is_empty());
    assert_eq!(
        server.counts("x").await,
        json!({"ready": 0, "scheduled": 1, "active": 0, "done": 0, "dead": 0, "cancelled": 0})
    );
    server
        .insert("x", r#"{"payload":2,"run_at":"1999-01-01T00:00:00Z"}"#)
        .await;
    server.insert("x", r#"{"payload":3,"delay":0.3}"#).await;
    assert_eq!(server.claim_one("x").await["payload"], 2);
    let jobs = server.claim("x", r#"{"wait":30}"#).await;
    assert_eq!(payloads(&jobs), [3]);
    let waited = millis(&jobs[0]["claimed_at"]) - millis(&jobs[0]["inserted_at"]);
    assert!((300..10_000).contains(&waited), "{waited}");
}

#[tokio::test]
async fn the_most_urgent_goes_first_and_the_first_of_those() {
    let server = Server::start();
    for (payload, priority) in [(1, 0), (2, 4), (3, 9), (4, 5), (5, 9)] {
        server
            .insert("x", json!({"payload": payload, "priority": priority}))
            .await;
    }
    server.insert("x", json!({"payload": 6})).await;
    let jobs = server.claim("x", r#"{"count":100}"#).await;
    assert_eq!(payloads(&jobs), [3, 5, 4, 2, 6, 1]);
    server.assert_sound().await;
}

#[tokio::test]
async fn a_unique_key_is_held_as_long_as_it_was_told() {
    let server = Server::start();
    let insert = async |queue: &str, unique: Value| {
        let job = json!({"payload": 1, "unique": unique});
        server.post(&format!("/v1/queues/{queue}/jobs"), job).await
    };
    // (how, whether it is held while the job is active, and when it is done)
    let cases = [
        ("a", json!({"key": "k", "while": "waiting"}), false, false),
        ("b", json!({"key": "k", "while": "unfinished"}), true, false),
        ("c", json!({"key": "k"}), true, false),
        ("d", json!({"key": "k", "for": 3600}), true, true),
    ];
    for (queue, unique, active, done) in cases {
        let first = body_of(&insert(queue, unique.clone()).await, 201);
        let answer = insert(queue, unique.clone()).await;
        let second = body_of(&answer, 200);
        assert_eq!(second, json!({"id": first["id"], "queue": queue, "duplicate": true}));
        assert!(answer.header("location").unwrap().ends_with(text(&first["id"])));

        let job = server.claim_one(queue).await;
        assert_eq!(
            insert(queue, unique.clone()).await.status == 200,
            active,
            "{unique} while active"
        );
        server.finish(queue, &job["receipt"], "ack", "").await;
        let again = insert(queue, unique.clone()).await;
        assert_eq!(again.status == 200, done || !active, "{unique} when done");
    }
    server.assert_sound().await;
}

#[tokio::test]
async fn a_unique_key_that_is_held_for_a_time_is_free_after_it() {
    let server = Server::start();
    let job = json!({"payload": 1, "unique": {"key": "k", "for": 0.2}});
    let first = server.insert("x", &job).await;
    crate::support::eventually("the key is free", async || {
        let answer = server.post("/v1/queues/x/jobs", &job).await;
        (answer.status == 201).then_some(())
    })
    .await;
    assert_eq!(server.job("x", &first).await["unique"], json!({"key": "k", "for": 0.2}));
}

#[tokio::test]
async fn a_job_that_expired_is_dead_and_not_handed_out() {
    let server = Server::start();
    let id = server.insert("x", r#"{"payload":1,"expires_in":0.001}"#).await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert!(server.claim("x", "{}").await.is_empty());
    let job = server.job("x", &id).await;
    assert_eq!(
        (&job["state"], &job["reason"], &job["attempt"]),
        (&json!("dead"), &json!("expired"), &json!(0))
    );
    let fourteen_days = 14 * 24 * 3_600_000;
    assert_eq!(millis(&job["kept_until"]) - millis(&job["ended_at"]), fourteen_days);
    server.assert_sound().await;
}
