//! `presque dead` and `presque redrive`.

use crate::support::{errors, get, post, printed, run};
use presque_testkit::{Host, Redis};
use serde_json::{Value, json};

/// Lets so many jobs die of errors, each of which is made of the job's number.
async fn die(host: &Host, queue: &str, count: usize, error: impl Fn(usize) -> String) {
    let jobs: Vec<Value> = (0..count).map(|number| json!({ "payload": number })).collect();
    for jobs in jobs.chunks(1000) {
        post(host, &format!("/v1/queues/{queue}/jobs"), json!({ "jobs": jobs })).await;
    }
    for _ in 0..count.div_ceil(100) {
        let claimed = post(host, &format!("/v1/queues/{queue}/claims"), json!({ "count": 100 })).await;
        let nack = |job: &Value| {
            let number = job["payload"].as_u64().expect("a number");
            json!({"receipt": job["receipt"], "error": error(number as usize), "dead": true})
        };
        let nacks: Vec<Value> = claimed["jobs"].as_array().expect("jobs").iter().map(nack).collect();
        post(
            host,
            &format!("/v1/queues/{queue}/claims/nack"),
            json!({ "nacks": nacks }),
        )
        .await;
    }
}

#[tokio::test]
async fn dead_jobs_are_shown_by_what_they_died_of_and_redriven() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    assert_eq!(printed(&host, &["dead", "q"]).await, "There are no dead jobs.\n");
    // More than one request looks at.
    die(&host, "q", 2300, |number| match number % 3 {
        0 => format!("timeout after {number} ms"),
        _ => "no such mailbox\nat \u{1b}[31m".to_owned(),
    })
    .await;
    let table = printed(&host, &["dead", "q"]).await;
    let rows: Vec<&str> = table.lines().map(str::trim_start).collect();
    assert!(rows[1].starts_with("1533  rejected"), "{table}");
    assert!(rows[1].ends_with("no such mailbox"), "{table}");
    assert!(
        rows[2].starts_with("767") && rows[2].ends_with("timeout after # ms"),
        "{table}"
    );
    let list = printed(&host, &["dead", "q", "--list"]).await;
    assert_eq!(list.lines().count(), 2300);
    let id = list.split_whitespace().next().expect("an id");

    let redriven = printed(&host, &["redrive", "q", "--id", id]).await;
    assert_eq!(redriven, "1 job redriven\n");
    let again = run(&host, &["redrive", "q", "--id", id, "--json"]).await;
    assert_eq!(
        again.status.code(),
        Some(3),
        "it is not dead any more: {}",
        errors(&again)
    );
    let timeouts = printed(&host, &["redrive", "q", "--group", "timeout after # ms", "--json"]).await;
    let timeouts: Value = serde_json::from_str(&timeouts).expect("JSON");
    let rest = printed(&host, &["redrive", "q", "--error", "MAILBOX", "--reason", "rejected"]).await;
    let rest: u64 = rest.split(' ').next().expect("a number").parse().expect("a number");
    assert_eq!(timeouts["redriven"].as_u64().expect("a number") + rest, 2299);
    assert_eq!(get(&host, "/v1/queues/q").await["counts"]["ready"], 2300);
}

#[tokio::test]
async fn a_dead_job_whose_unique_key_is_taken_stays_dead_which_is_told() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let job = json!({"payload": 0, "unique": {"key": "7"}});
    post(&host, "/v1/queues/q/jobs", &job).await;
    let claimed = post(&host, "/v1/queues/q/claims", "{}").await;
    let receipt = claimed["jobs"][0]["receipt"].as_str().expect("a receipt");
    post(
        &host,
        &format!("/v1/queues/q/claims/{receipt}/nack"),
        json!({ "dead": true }),
    )
    .await;
    post(&host, "/v1/queues/q/jobs", &job).await;
    let output = run(&host, &["redrive", "q"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"0 jobs redriven\n");
    assert!(errors(&output).contains("unique keys: 1"), "{output:?}");
}
