//! Ack, nack and extend, one and many.

use super::{Server, body_of, millis, problem, text, wrong_member};
use crate::support::eventually;
use serde_json::{Value, json};

/// A queue with so many jobs that are held; their receipts.
async fn held(server: &Server, jobs: usize) -> Vec<Value> {
    for n in 0..jobs {
        server.insert("x", json!({"payload": n})).await;
    }
    let claimed = server.claim("x", r#"{"count":100,"worker":"w"}"#).await;
    claimed.into_iter().map(|job| job["receipt"].clone()).collect()
}

#[tokio::test]
async fn an_acknowledged_job_is_done_and_gone_and_may_be_acknowledged_again() {
    let server = Server::start();
    let receipt = held(&server, 1).await.remove(0);
    let done = server.finish("x", &receipt, "ack", "").await;
    assert_eq!(done, json!({"receipt": receipt, "status": "done"}));
    let again = server.finish("x", &receipt, "ack", r#"{"result":1}"#).await;
    assert_eq!(again, json!({"receipt": receipt, "status": "repeated"}));
    let id = &text(&receipt)[..24];
    problem(
        &server.get(&format!("/v1/queues/x/jobs/{id}")).await,
        404,
        "no-such-job",
    );
    // Done is done: nothing else can become of it.
    for verb in ["nack", "extend"] {
        let target = format!("/v1/queues/x/claims/{}/{verb}", text(&receipt));
        problem(&server.post(&target, "").await, 409, "stale-receipt");
    }
}

#[tokio::test]
async fn a_job_that_failed_is_tried_again_after_its_backoff() {
    let server = Server::start();
    let backoff = json!({"kind": "fixed", "delay": 3600});
    server.insert("x", json!({"payload": 1, "backoff": backoff})).await;
    let job = server.claim_one("x").await;
    let nack = json!({"error": "no such mailbox: \"é\""});
    let given_back = server.finish("x", &job["receipt"], "nack", nack).await;
    assert_eq!(given_back["status"], "scheduled");
    let id = text(&job["id"]);
    let shown = server.job("x", id).await;
    assert_eq!(
        (&shown["state"], &shown["run_at"]),
        (&json!("scheduled"), &given_back["run_at"])
    );
    let error = &shown["errors"][0];
    assert_eq!(
        (&error["attempt"], &error["error"]),
        (&json!(1), &json!("no such mailbox: \"é\""))
    );
    assert_eq!(millis(&shown["run_at"]) - millis(&error["at"]), 3_600_000);
    assert_eq!((&shown["failures"], &shown["attempt"]), (&json!(1), &json!(1)));
    let again = server.finish("x", &job["receipt"], "nack", "").await;
    assert_eq!(again, json!({"receipt": job["receipt"], "status": "repeated"}));
}

#[tokio::test]
async fn a_nack_may_say_when_or_that_there_is_no_next_attempt() {
    let server = Server::start();
    let receipts = held(&server, 3).await;
    let now = server.finish("x", &receipts[0], "nack", r#"{"delay":0}"#).await;
    assert_eq!(now, json!({"receipt": receipts[0], "status": "ready"}));
    let later = server.finish("x", &receipts[1], "nack", r#"{"delay":0.25}"#).await;
    assert_eq!(later["status"], "scheduled");
    let dead = server.finish("x", &receipts[2], "nack", r#"{"dead":true}"#).await;
    assert_eq!(dead, json!({"receipt": receipts[2], "status": "dead"}));
    let id = &text(&receipts[2])[..24];
    let job = server.job("x", id).await;
    assert_eq!((&job["reason"], &job["state"]), (&json!("rejected"), &json!("dead")));
    assert_eq!(job["errors"], json!([{"at": job["ended_at"], "attempt": 1}]));
    assert_eq!(server.claim_one("x").await["attempt"], 2);
    let late = server.claim("x", r#"{"wait":30}"#).await;
    assert_eq!(late[0]["receipt"], format!("{}-2", &text(&receipts[1])[..24]));
}

#[tokio::test]
async fn a_nack_of_a_job_that_did_not_fail_gives_it_back_and_counts_as_released_alone() {
    let server = Server::start();
    let id = server.insert("x", r#"{"payload":1,"max_attempts":1}"#).await;
    let receipt = server.claim_one("x").await["receipt"].clone();
    let now = server.finish("x", &receipt, "nack", r#"{"failed":false}"#).await;
    assert_eq!(now, json!({"receipt": receipt, "status": "ready"}));
    let receipt = server.claim_one("x").await["receipt"].clone();
    let nack = json!({"nacks": [{"receipt": receipt, "failed": false, "delay": 3600, "error": "too busy"}]});
    let later = server.done("/v1/queues/x/claims/nack", nack).await["results"][0].clone();
    assert_eq!(later["status"], "scheduled");
    let job = server.job("x", &id).await;
    assert_eq!((&job["state"], &job["run_at"]), (&json!("scheduled"), &later["run_at"]));
    assert_eq!(
        (&job["attempt"], &job["failures"], &job["lost_leases"]),
        (&json!(2), &json!(0), &json!(0))
    );
    let released = &job["released"];
    assert_eq!(
        (&released["times"], &released["attempt"], &released["error"]),
        (&json!(2), &json!(2), &json!("too busy"))
    );
    assert_eq!(millis(&job["run_at"]) - millis(&released["at"]), 3_600_000);
    assert_eq!(job.get("errors"), None);
    let queue = body_of(&server.get("/v1/queues/x").await, 200);
    assert_eq!(
        (&queue["totals"]["released"], &queue["totals"]["failed"]),
        (&json!(2), &json!(0))
    );
    server.assert_sound().await;
}

#[tokio::test]
async fn a_job_that_failed_too_often_is_dead_and_keeps_its_last_errors() {
    let server = Server::start();
    let id = server.insert("x", r#"{"payload":1,"max_attempts":7}"#).await;
    for attempt in 1..=7 {
        let job = server.claim_one("x").await;
        assert_eq!(job["attempt"], attempt);
        let nack = json!({"error": attempt.to_string(), "delay": 0});
        let status = server.finish("x", &job["receipt"], "nack", nack).await["status"].clone();
        assert_eq!(status, if attempt == 7 { "dead" } else { "ready" });
    }
    let job = server.job("x", &id).await;
    assert_eq!((&job["state"], &job["reason"]), (&json!("dead"), &json!("failed")));
    let errors: Vec<_> = job["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["error"])
        .collect();
    assert_eq!(errors, ["3", "4", "5", "6", "7"]);
    server.assert_sound().await;
}

#[tokio::test]
async fn an_extended_lease_ends_later_and_tells_progress() {
    let server = Server::start();
    server.insert("x", r#"{"payload":1}"#).await;
    let job = server.claim("x", r#"{"lease":20}"#).await.remove(0);
    let extended = server
        .finish(
            "x",
            &job["receipt"],
            "extend",
            r#"{"lease":3600,"progress":{ "percent" : 40 }}"#,
        )
        .await;
    assert_eq!(extended["status"], "active");
    assert!(millis(&extended["lease_ends_at"]) >= millis(&job["claimed_at"]) + 3_600_000);
    let shown = server.job("x", text(&job["id"])).await;
    assert_eq!(
        (&shown["lease_ends_at"], &shown["progress"]),
        (&extended["lease_ends_at"], &json!({"percent": 40}))
    );
    // As long as before.
    let again = server.finish("x", &job["receipt"], "extend", "").await;
    assert!(millis(&again["lease_ends_at"]) >= millis(&extended["lease_ends_at"]));
}

#[tokio::test]
async fn many_receipts_are_each_on_their_own() {
    let server = Server::start();
    let receipts = held(&server, 6).await;
    let stale = json!("00000000002a19a3f0c2b7e9-1");
    let acks = json!({"acks": [{"receipt": receipts[0]}, {"receipt": stale, "result": 1}, {"receipt": receipts[1], "result": {}}]});
    let result = |receipt: &Value, status: &str| json!({"receipt": receipt, "status": status});
    assert_eq!(
        server.done("/v1/queues/x/claims/ack", acks).await["results"],
        json!([
            result(&receipts[0], "done"),
            result(&stale, "stale"),
            result(&receipts[1], "done")
        ])
    );
    let nacks = json!({"nacks": [
        {"receipt": receipts[2], "delay": 60},
        {"receipt": receipts[0]},
        {"receipt": receipts[3], "dead": true, "error": "x"},
    ]});
    let results = server.done("/v1/queues/x/claims/nack", &nacks).await["results"].clone();
    assert_eq!(
        (&results[0]["status"], &results[2]["status"]),
        (&json!("scheduled"), &json!("dead"))
    );
    assert!(results[0]["run_at"].is_string());
    assert_eq!(results[1], result(&receipts[0], "stale"));
    let again = server.done("/v1/queues/x/claims/nack", &nacks).await["results"].clone();
    assert_eq!(
        (&again[0]["status"], &again[2]["status"]),
        (&json!("repeated"), &json!("repeated"))
    );

    server
        .send(
            "DELETE",
            &format!("/v1/queues/x/jobs/{}", &text(&receipts[4])[..24]),
            "",
        )
        .await;
    let extensions = json!({"extensions": [
        {"receipt": receipts[5], "lease": 60, "progress": 1},
        {"receipt": receipts[4]},
        {"receipt": receipts[0]},
    ]});
    let results = server.done("/v1/queues/x/claims/extend", extensions).await["results"].clone();
    assert_eq!(results[0]["status"], "active");
    assert!(results[0]["lease_ends_at"].is_string());
    assert_eq!(results[1], result(&receipts[4], "cancelled"));
    assert_eq!(results[2], result(&receipts[0], "stale"));
    server.assert_sound().await;
}

#[tokio::test]
async fn a_receipt_is_good_after_its_lease_until_the_job_is_handed_out_again() {
    let server = Server::start();
    server.insert("x", r#"{"payload":1}"#).await;
    let job = server.claim("x", r#"{"lease":0.1}"#).await.remove(0);
    eventually("the lease has ended", async || {
        let now: Vec<i64> = redis::from_owned_redis_value(server.redis.run("TIME").await).unwrap();
        (now[0] * 1000 > millis(&job["lease_ends_at"])).then_some(())
    })
    .await;
    assert_eq!(server.finish("x", &job["receipt"], "ack", "").await["status"], "done");
}

#[tokio::test]
async fn what_is_wrong_with_a_receipt_or_what_comes_with_it_is_told() {
    let server = Server::start();
    let receipt = held(&server, 1).await.remove(0);
    for wrong in ["x", "00000000002a19a3f0c2b7e9", "00000000002a19a3f0c2b7e9-0", "%ff"] {
        for verb in ["ack", "nack", "extend"] {
            let target = format!("/v1/queues/x/claims/{wrong}/{verb}");
            problem(&server.post(&target, "").await, 400, "invalid-receipt");
        }
    }
    for (verb, body, pointer) in [
        ("ack", json!({"result": "r".repeat(64 * 1024)}), "/result"),
        ("ack", json!({"error": "x"}), "/error"),
        ("nack", json!({"error": 1}), "/error"),
        ("nack", json!({"delay": -1}), "/delay"),
        ("nack", json!({"dead": 1}), "/dead"),
        ("nack", json!({"failed": 0}), "/failed"),
        ("nack", json!({"failed": false, "dead": true}), ""),
        ("extend", json!({"lease": 86_401}), "/lease"),
        ("extend", json!({"progress": "p".repeat(16 * 1024)}), "/progress"),
        ("extend", json!({"receipt": receipt}), "/receipt"),
    ] {
        let target = format!("/v1/queues/x/claims/{}/{verb}", text(&receipt));
        wrong_member(&server.post(&target, body).await, pointer);
    }
    for (verb, body, pointer) in [
        ("ack", json!({}), "/acks"),
        ("ack", json!({"acks": []}), "/acks"),
        ("ack", json!({"acks": vec![json!({"receipt": receipt}); 101]}), "/acks"),
        ("nack", json!({"nacks": {"receipt": receipt}}), "/nacks"),
        ("extend", json!({"extensions": "x"}), "/extensions"),
    ] {
        wrong_member(
            &server.post(&format!("/v1/queues/x/claims/{verb}"), body).await,
            pointer,
        );
    }
    // Nothing was changed by any of them.
    assert_eq!(server.finish("x", &receipt, "ack", "").await["status"], "done");
}

#[tokio::test]
async fn a_failure_is_recorded_whatever_its_text() {
    let server = Server::start();
    let receipts = held(&server, 3).await;
    // 4095 bytes, and a character that goes beyond 4096.
    let long = format!("{}é and more", "e".repeat(4095));
    let errors = [
        (json!(long).to_string(), "e".repeat(4095)),
        (r#""cut \ud83d""#.to_owned(), "cut \u{fffd}".to_owned()),
        (r#""\ude00\ud83d\ude00\u0000""#.to_owned(), "\u{fffd}😀\0".to_owned()),
    ];
    for (receipt, (sent, kept)) in receipts.iter().zip(&errors) {
        let nack = format!("{{\"dead\":true,\"error\":{sent}}}");
        assert_eq!(server.finish("x", receipt, "nack", nack).await["status"], "dead");
        let job = server.job("x", &text(receipt)[..24]).await;
        assert_eq!(&job["errors"][0]["error"], kept);
    }
}

#[tokio::test]
async fn a_wrong_item_of_many_has_a_status_of_its_own_and_the_others_are_carried_out() {
    let server = Server::start();
    let receipts = held(&server, 3).await;
    let ok = |status: &str| json!({"receipt": receipts[0], "status": status});
    let invalid = |receipt: Option<&Value>, pointer: &str, told: &Value| {
        let mut expected = json!({"status": "invalid", "pointer": pointer, "detail": told["detail"]});
        if let Some(receipt) = receipt {
            expected["receipt"] = receipt.clone();
        }
        assert!(!text(&told["detail"]).is_empty());
        assert_eq!(told, &expected);
    };
    let extensions = json!({"extensions": [{"receipt": receipts[1], "lease": 0}, {"receipt": receipts[0]}]});
    let told = server.done("/v1/queues/x/claims/extend", extensions).await["results"].clone();
    invalid(Some(&receipts[1]), "/extensions/0/lease", &told[0]);
    assert_eq!(told[1]["status"], "active");

    let nacks = json!({"nacks": [
        7,
        {"receipt": "x"},
        {"receipt": receipts[0], "delay": 0},
        {"receipt": receipts[1], "delay": -1},
        {"receipt": receipts[2], "surprise": 1},
    ]});
    let told = server.done("/v1/queues/x/claims/nack", nacks).await["results"].clone();
    invalid(None, "/nacks/0", &told[0]);
    invalid(None, "/nacks/1/receipt", &told[1]);
    assert_eq!(told[2], ok("ready"));
    invalid(Some(&receipts[1]), "/nacks/3/delay", &told[3]);
    invalid(Some(&receipts[2]), "/nacks/4/surprise", &told[4]);

    // Also where all are wrong.
    let told = server.done("/v1/queues/x/claims/ack", r#"{"acks":[{}]}"#).await["results"].clone();
    invalid(None, "/acks/0/receipt", &told[0]);
    for receipt in &receipts[1..] {
        assert_eq!(server.finish("x", receipt, "ack", "").await["status"], "done");
    }
    server.assert_sound().await;
}

#[tokio::test]
async fn results_of_many_jobs_go_in_one_request() {
    let server = Server::start();
    server.send("PUT", "/v1/queues/x", r#"{"retain":3600}"#).await;
    let receipts = held(&server, 100).await;
    let result = "r".repeat(64 * 1024 - 2);
    let acks: Vec<_> = receipts
        .iter()
        .map(|receipt| json!({"receipt": receipt, "result": result}))
        .collect();
    let results = server.done("/v1/queues/x/claims/ack", json!({"acks": acks})).await["results"].clone();
    assert!(
        results
            .as_array()
            .unwrap()
            .iter()
            .all(|result| result["status"] == "done")
    );
    assert_eq!(server.job("x", &text(&receipts[99])[..24]).await["result"], result);
}
