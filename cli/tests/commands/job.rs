//! `presque job` and `presque jobs`.

use crate::support::{printed, run};
use presque_testkit::{Host, Redis};
use serde_json::Value;

/// Inserts a job, and returns its id.
async fn insert(host: &Host, queue: &str, job: &str) -> String {
    let json = [("Content-Type", "application/json")];
    let target = format!("/v1/queues/{queue}/jobs");
    let answer = host.client().send("POST", &target, &json, job.to_owned()).await;
    let answer: Value = serde_json::from_str(answer.text()).expect("JSON");
    answer["id"].as_str().expect("an id").to_owned()
}

/// Claims a job and gives it back for good with this error.
async fn reject(host: &Host, queue: &str, error: &str) {
    let client = host.client();
    let claimed = client
        .send("POST", &format!("/v1/queues/{queue}/claims"), &[], "")
        .await;
    let claimed: Value = serde_json::from_str(claimed.text()).expect("JSON");
    let receipt = claimed["jobs"][0]["receipt"].as_str().expect("a job");
    let target = format!("/v1/queues/{queue}/claims/{receipt}/nack");
    let body = serde_json::json!({ "error": error, "dead": true }).to_string();
    let json = [("Content-Type", "application/json")];
    assert_eq!(client.send("POST", &target, &json, body).await.status, 200);
}

#[tokio::test]
async fn a_job_is_shown_with_its_errors_and_its_payload_byte_by_byte() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let id = insert(&host, "a%2Fb", "{\"payload\":{\"n\" :\n 1.50}}").await;
    assert_eq!(
        printed(&host, &["job", "a/b", &id, "--payload"]).await,
        "{\"n\" :\n 1.50}"
    );
    let claimed = host.client().send("POST", "/v1/queues/a%2Fb/claims", &[], "").await;
    let claimed: Value = serde_json::from_str(claimed.text()).expect("JSON");
    let receipt = claimed["jobs"][0]["receipt"].as_str().expect("a job");
    let release = format!("/v1/queues/a%2Fb/claims/{receipt}/nack");
    let json = [("Content-Type", "application/json")];
    let body = r#"{"failed":false,"delay":3600,"error":"busy"}"#;
    assert_eq!(host.client().send("POST", &release, &json, body).await.status, 200);
    let list = printed(&host, &["jobs", "a/b", "--state", "scheduled"]).await;
    assert!(list.contains(": busy"), "{list}");
    let promote = [("Content-Type", "application/json")];
    let promoted = host
        .client()
        .send("POST", "/v1/queues/a%2Fb/jobs/promote", &promote, "{}")
        .await;
    assert_eq!(promoted.status, 200, "{promoted:?}");
    reject(&host, "a%2Fb", "no \u{1b}[31m mailbox").await;
    let text = printed(&host, &["job", "a/b", &id]).await;
    let has = |name: &str, value: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        assert!(
            lines.any(|(n, v)| n == name && v.contains(value)),
            "{name} {value}: {text}"
        );
    };
    has("state", "dead");
    has("reason", "rejected");
    has("released", "times: 1; attempt 1 at 2");
    has("error", "attempt 2 at 2");
    has("error", r"no \u{1b}[31m mailbox");
    has("payload", "{\"n\" :  1.50}");
    let line = printed(&host, &["job", "a/b", &id, "--json"]).await;
    assert_eq!(line.lines().count(), 1, "{line}");
    assert_eq!(serde_json::from_str::<Value>(&line).expect("JSON")["id"], id);
}

#[tokio::test]
async fn a_job_is_cancelled_and_one_that_is_not_there_has_its_own_exit_code() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let id = insert(&host, "mail", r#"{"payload":1}"#).await;
    assert_eq!(
        printed(&host, &["job", "mail", &id, "--cancel"]).await,
        format!("{id}: cancelled\n")
    );
    for args in [
        ["job", "mail", &id, "--cancel"],
        ["job", "mail", "0000000000091a1fc55701b4", "--json"],
    ] {
        let output = run(&host, &args).await;
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(3), b"".as_slice())
        );
    }
}

#[tokio::test]
async fn jobs_are_listed_by_state_and_found_by_text_and_error_page_after_page() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    assert_eq!(printed(&host, &["jobs", "mail"]).await, "There are no such jobs.\n");
    let jobs: Vec<_> = (0..250)
        .map(|n| serde_json::json!({ "payload": format!("job {n:03}") }))
        .collect();
    let body = serde_json::json!({ "jobs": jobs }).to_string();
    let json = [("Content-Type", "application/json")];
    assert_eq!(
        host.client()
            .send("POST", "/v1/queues/mail/jobs", &json, body)
            .await
            .status,
        201
    );
    reject(&host, "mail", "no such mailbox").await;
    let ready = printed(
        &host,
        &[
            "jobs",
            "mail",
            "--state",
            "ready",
            "--limit",
            "1000",
            "--json",
            "--payload",
        ],
    )
    .await;
    let payloads: Vec<Value> = ready
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["payload"].take())
        .collect();
    assert_eq!(
        (payloads.len(), &payloads[0], &payloads[248]),
        (249, &"job 001".into(), &"job 249".into())
    );
    let newest = printed(
        &host,
        &[
            "jobs",
            "mail",
            "--state",
            "ready",
            "--newest",
            "--limit",
            "1",
            "--payload",
        ],
    )
    .await;
    assert!(newest.ends_with("\n    \"job 249\"\n"), "{newest}");
    let found = printed(&host, &["jobs", "mail", "--text", "JOB 00", "--json"]).await;
    assert_eq!(found.lines().count(), 10);
    let dead = printed(&host, &["jobs", "mail", "--error", "mailbox"]).await;
    let rows: Vec<Vec<&str>> = dead.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ID", "STATE", "ATTEMPTS", "INSERTED"]);
    assert_eq!(
        (rows[1][1], rows[1][2], &rows[1][4..]),
        ("dead", "1", ["rejected:", "no", "such", "mailbox"].as_slice())
    );
}
