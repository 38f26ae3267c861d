//! `POST /v1/queues/{q}/claims` and `POST /v1/claims`.

use super::{Server, body_of, millis, wrong_member};
use crate::support::eventually;
use presque::queue::JobId;
use serde_json::{Value, json};

#[tokio::test]
async fn a_claimed_job_is_active_and_tells_who_holds_it_until_when() {
    let server = Server::start();
    let id = server.insert("x", r#"{"payload":{"n":1}}"#).await;
    let claimed = server.claim("x", r#"{"lease":120.5,"worker":"wörker-7"}"#).await;
    let [job] = &claimed[..] else {
        panic!("{claimed:?}");
    };
    assert_eq!(millis(&job["lease_ends_at"]) - millis(&job["claimed_at"]), 120_500);
    assert_eq!(
        job,
        &json!({
            "id": id, "queue": "x", "state": "active", "priority": 4, "inserted_at": job["inserted_at"], "attempt": 1,
            "failures": 0, "lost_leases": 0, "worker": "wörker-7", "claimed_at": job["claimed_at"],
            "lease_ends_at": job["lease_ends_at"], "payload": {"n": 1}, "receipt": format!("{id}-1"),
        })
    );
    let mut shown = job.clone();
    shown.as_object_mut().unwrap().remove("receipt");
    assert_eq!(server.job("x", &id).await, shown);
}

#[tokio::test]
async fn when_there_is_nothing_the_answer_is_204_and_nothing() {
    let server = Server::start();
    for body in ["", "{}", " "] {
        let answer = server.post("/v1/queues/x/claims", body).await;
        assert_eq!((answer.brief(), answer.header("content-length")), ((204, ""), None));
    }
    // To look makes no queue.
    assert_eq!(server.get("/v1/queues/x").await.status, 404);
}

#[tokio::test]
async fn the_lease_is_that_of_the_claim_else_of_the_job_else_of_the_queue() {
    let server = Server::start();
    let lease = async |wishes: &str| {
        let job = server.claim("x", wishes).await.remove(0);
        millis(&job["lease_ends_at"]) - millis(&job["claimed_at"])
    };
    for _ in 0..2 {
        server.insert("x", r#"{"payload":1,"timeout":20}"#).await;
    }
    for _ in 0..2 {
        server.insert("x", r#"{"payload":1}"#).await;
    }
    assert_eq!(lease(r#"{"lease":10}"#).await, 10_000);
    assert_eq!(lease("{}").await, 20_000);
    assert_eq!(lease("{}").await, 60_000);
    server.send("PUT", "/v1/queues/x", r#"{"lease":30}"#).await;
    assert_eq!(lease("{}").await, 30_000);
}

#[tokio::test]
async fn a_claim_takes_no_more_than_it_asks_for_nor_than_there_are() {
    let server = Server::start();
    let jobs: Vec<_> = (0..130).map(|n| json!({"payload": n})).collect();
    server.post("/v1/queues/x/jobs", json!({"jobs": jobs})).await;
    assert_eq!(server.claim("x", r#"{"count":7}"#).await.len(), 7);
    let jobs = server.claim("x", r#"{"count":100}"#).await;
    assert_eq!(jobs.len(), 100);
    assert!(
        jobs.iter()
            .map(|job| &job["payload"])
            .eq(&(7..107).map(Value::from).collect::<Vec<_>>())
    );
    assert_eq!(server.claim("x", r#"{"count":100}"#).await.len(), 23);
}

#[tokio::test]
async fn a_lost_lease_hands_the_job_out_again_and_counts() {
    let server = Server::start();
    server.send("PUT", "/v1/queues/x", r#"{"max_lost_leases":2}"#).await;
    let id = server.insert("x", r#"{"payload":1}"#).await;
    let first = server.claim("x", r#"{"lease":0.1}"#).await.remove(0);
    let second = server.claim("x", r#"{"lease":0.1,"wait":30}"#).await.remove(0);
    assert_eq!((&second["id"], &second["attempt"]), (&json!(id), &json!(2)));
    assert_eq!((&second["lost_leases"], &second["failures"]), (&json!(1), &json!(0)));
    assert_ne!(first["receipt"], second["receipt"]);
    let target = format!("/v1/queues/x/claims/{}/ack", super::text(&first["receipt"]));
    super::problem(&server.post(&target, "").await, 409, "stale-receipt");
    assert!(server.claim("x", r#"{"wait":1}"#).await.is_empty());
    let job = server.job("x", &id).await;
    assert_eq!((&job["state"], &job["reason"]), (&json!("dead"), &json!("lost-leases")));
    assert_eq!(job["lost_leases"], 2);
    server.assert_sound().await;
}

#[tokio::test]
async fn a_claim_carries_acks_and_tells_what_became_of_each() {
    let server = Server::start();
    for n in 1..=3 {
        server.insert("x", json!({"payload": n})).await;
    }
    let first = server.claim_one("x").await["receipt"].clone();
    let claim = json!({"acks": [{"receipt": first, "result": {"ok": 1}}], "worker": "w"});
    let next = server.done("/v1/queues/x/claims", &claim).await;
    assert_eq!(next["acks"], json!([{"receipt": first, "status": "done"}]));
    assert_eq!(next["jobs"][0]["payload"], 2);
    let stale = "00000000002a19a3f0c2b7e9-1";
    let claim = json!({"acks": [{"receipt": first}, {"receipt": stale}]});
    let next = server.done("/v1/queues/x/claims", &claim).await;
    assert_eq!(
        next["acks"],
        json!([{"receipt": first, "status": "repeated"}, {"receipt": stale, "status": "stale"}])
    );
    assert_eq!(next["jobs"][0]["payload"], 3);
    // Acks are answered also when there is no job.
    let last = next["jobs"][0]["receipt"].clone();
    let claim = json!({"acks": [{"receipt": last}]});
    let answer = server.done("/v1/queues/x/claims", &claim).await;
    assert_eq!(
        answer,
        json!({"jobs": [], "acks": [{"receipt": last, "status": "done"}]})
    );
    assert_eq!(
        server.done("/v1/queues/x/claims", r#"{"acks":[]}"#).await,
        json!({"jobs": [], "acks": []})
    );
    server.assert_sound().await;
}

#[tokio::test]
async fn a_claim_on_many_queues_takes_from_the_first_that_have_some() {
    let server = Server::start();
    for (queue, count) in [("b", 2), ("c%2Fd", 3)] {
        for n in 0..count {
            server.insert(queue, json!({"payload": n})).await;
        }
    }
    let claim = json!({"queues": ["a", "b", "c/d"], "count": 4, "worker": "w"});
    let jobs = server.done("/v1/claims", &claim).await["jobs"].clone();
    let from: Vec<_> = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| (super::text(&job["queue"]), &job["payload"]))
        .collect();
    assert_eq!(
        from,
        [
            ("b", &json!(0)),
            ("b", &json!(1)),
            ("c/d", &json!(0)),
            ("c/d", &json!(1))
        ]
    );
    assert_eq!(
        body_of(&server.post("/v1/claims", &claim).await, 200)["jobs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(server.post("/v1/claims", &claim).await.brief(), (204, ""));
    // A receipt goes with its queue.
    server.finish("c%2Fd", &jobs[2]["receipt"], "ack", "").await;
    server.assert_sound().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_claim_is_pointed_to() {
    let server = Server::start();
    let receipt = "00000000002a19a3f0c2b7e9-1";
    let acks: Vec<_> = (0..101).map(|_| json!({"receipt": receipt})).collect();
    for (claim, pointer) in [
        (json!({"count": 0}), "/count"),
        (json!({"count": 101}), "/count"),
        (json!({"lease": 0}), "/lease"),
        (json!({"worker": ""}), "/worker"),
        (json!({"worker": 7}), "/worker"),
        (json!({"worker": "w".repeat(256)}), "/worker"),
        (json!({"wait": 61}), "/wait"),
        (json!({"wait": -1}), "/wait"),
        (json!({"acks": acks}), "/acks"),
        (json!({"acks": {}}), "/acks"),
        (json!({"queues": ["x"]}), "/queues"),
        (json!([]), ""),
    ] {
        wrong_member(&server.post("/v1/queues/x/claims", claim).await, pointer);
    }
    let many: Vec<_> = (0..21).map(|n| n.to_string()).collect();
    for (claim, pointer) in [
        (json!({}), "/queues"),
        (json!({"queues": []}), "/queues"),
        (json!({"queues": many}), "/queues"),
        (json!({"queues": ["a", 1]}), "/queues/1"),
        (json!({"queues": [""]}), "/queues/0"),
        (json!({"queues": ["a\n"]}), "/queues/0"),
        (json!({"queues": ["a"], "acks": []}), "/acks"),
    ] {
        wrong_member(&server.post("/v1/claims", claim).await, pointer);
    }
}

#[tokio::test]
async fn a_job_whose_record_is_gone_is_dropped_counted_and_told_in_the_log() {
    let mut server = Server::start();
    let mut ids = Vec::new();
    for number in 1..=3 {
        // With an option it has a record.
        ids.push(
            server
                .insert("x", json!({ "payload": number, "max_attempts": 3 }))
                .await,
        );
    }
    for (id, at) in ids.iter().zip(1..) {
        let in_redis = JobId::parse(id).unwrap();
        let remove = [&b"HDEL"[..], b"presque:{x}:jobs", in_redis.as_bytes()];
        assert_eq!(server.redis.query::<u64>(&remove).await, 1);
        // What it was is not known, and it is not there.
        assert_eq!(server.get(&format!("/v1/queues/x/jobs/{id}")).await.status, 404);
        if at == 1 {
            let jobs = server.claim("x", r#"{"count":2}"#).await;
            let payloads: Vec<_> = jobs.iter().map(|job| &job["payload"]).collect();
            assert_eq!(payloads, [2, 3]);
        }
    }
    assert_eq!(server.claim("x", r#"{"count":2}"#).await, [] as [Value; 0]);
    let queue = body_of(&server.get("/v1/queues/x").await, 200);
    assert_eq!(queue["totals"]["orphans"], 3, "{queue}");
    assert_eq!(queue["counts"]["active"], 0, "{queue}");
    server
        .host
        .log_lines(
            &["dropped jobs whose records were gone from presque:{x}:jobs", ": 1"],
            3,
        )
        .await;
    server.assert_sound().await;
}

#[tokio::test]
async fn a_job_that_has_expired_does_not_keep_its_unique_key_from_the_next_one() {
    let server = Server::start();
    let job = r#"{"payload":1,"expires_in":0.001,"unique":{"key":"r"}}"#;
    let old = server.insert("x", job).await;
    let gone = async || server.post("/v1/queues/x/jobs", job).await.status == 201;
    eventually("the job expires", async || gone().await.then_some(())).await;
    let job = server.job("x", &old).await;
    assert_eq!((&job["state"], &job["reason"]), (&json!("dead"), &json!("expired")));
    server.assert_sound().await;
}

#[tokio::test]
async fn a_wrong_ack_of_a_claim_has_a_status_of_its_own_and_the_others_are_done() {
    let server = Server::start();
    for n in 0..3 {
        server.insert("x", json!({"payload": n})).await;
    }
    let held = server.claim("x", r#"{"count":2}"#).await;
    let receipts = [&held[0]["receipt"], &held[1]["receipt"]];
    let acks = json!([
        {},
        {"receipt": "x"},
        {"receipt": receipts[0], "result": "r".repeat(64 * 1024)},
        {"receipt": receipts[0], "error": 1},
        {"receipt": receipts[1]},
    ]);
    let claimed = server.done("/v1/queues/x/claims", json!({"acks": acks})).await;
    assert_eq!(claimed["jobs"][0]["payload"], 2);
    let told = claimed["acks"].as_array().unwrap();
    let pointers = ["/acks/0/receipt", "/acks/1/receipt", "/acks/2/result", "/acks/3/error"];
    for (ack, pointer) in told.iter().zip(pointers) {
        assert_eq!((&ack["status"], &ack["pointer"]), (&json!("invalid"), &json!(pointer)));
    }
    assert_eq!((told.len(), &told[2]["receipt"]), (5, receipts[0]));
    assert_eq!(told[4], json!({"receipt": receipts[1], "status": "done"}));
    // The job of a wrong ack is still held.
    assert_eq!(server.finish("x", receipts[0], "ack", "").await["status"], "done");
}
