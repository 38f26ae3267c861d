//! `presque pull`.

use crate::support::{errors, get, post, presque, printed, run};
use presque_testkit::{Host, Redis, patiently, until};
use serde_json::{Value, json};
use std::process::Stdio;

#[tokio::test]
async fn a_pulled_job_is_printed_and_then_done() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    assert_eq!(
        run(&host, &["pull", "q"]).await.status.code(),
        Some(3),
        "there is no job"
    );
    let jobs = r#"{"jobs":[{"payload":{"a": 1}},{"payload":"two"},{"payload":[1,
2]},{"payload":4},{"payload":5}]}"#;
    post(&host, "/v1/queues/q/jobs", jobs).await;
    assert_eq!(printed(&host, &["pull", "q"]).await, "{\"a\": 1}\n");
    assert_eq!(
        printed(&host, &["pull", "q", "-n", "1", "--json"])
            .await
            .matches("\"payload\":\"two\"")
            .count(),
        1
    );
    assert_eq!(printed(&host, &["pull", "q"]).await, "[1,\n2]\n", "byte for byte");
    assert_eq!(get(&host, "/v1/queues/q").await["totals"]["done"], 3);

    let claimed = printed(&host, &["pull", "q", "--no-ack", "--lease", "300"]).await;
    let job: serde_json::Value = serde_json::from_str(&claimed).expect("a line of JSON");
    assert_eq!((&job["payload"], &job["state"]), (&4.into(), &"active".into()));
    let ack = format!(
        "/v1/queues/q/claims/{}/ack",
        job["receipt"].as_str().expect("a receipt")
    );
    assert_eq!(post(&host, &ack, "{}").await["status"], "done");
    assert_eq!(printed(&host, &["pull", "q", "--count", "9"]).await, "5\n");
    assert_eq!(get(&host, "/v1/queues/q").await["totals"]["done"], 5);
}

#[tokio::test]
async fn a_pull_can_wait_for_its_job() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let waiting = printed(&host, &["pull", "q", "--wait", "25"]);
    let insert = async {
        until("a claim waits", async || {
            redis.info("clients", "blocked_clients").await.as_deref() == Some("1")
        })
        .await;
        post(&host, "/v1/queues/q/jobs", json!({"payload": 1})).await;
    };
    let (printed, ()) = patiently("the job", async { tokio::join!(waiting, insert) }).await;
    assert_eq!(printed, "1\n");
}

#[tokio::test]
async fn a_job_that_nobody_reads_is_given_back() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    for flag in ["--json", "--no-ack", "--count=1"] {
        let mut command = presque(&host.base);
        command.args(["pull", "q", "--wait=25", flag]);
        let mut pull = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        drop(pull.stdout.take());
        post(&host, "/v1/queues/q/jobs", json!({"payload": 1})).await;
        let pull = tokio::task::spawn_blocking(move || pull.wait_with_output().expect("it ends"));
        let output = patiently("the end of the pull", pull).await.expect("it was waited for");
        assert_eq!(output.status.code(), Some(1), "{flag}");
        assert!(
            errors(&output).contains("was given back"),
            "{flag}: {}",
            errors(&output)
        );
        let job: Value = serde_json::from_str(&printed(&host, &["pull", "q", "--json"]).await).expect("JSON");
        assert_eq!((&job["payload"], &job["failures"]), (&json!(1), &json!(0)), "{flag}");
    }
}
