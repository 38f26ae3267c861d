//! `presque queue`, `stop` and `start`.

use crate::support::{printed, run};
use presque_testkit::{Host, Redis};
use serde_json::{Value, json};

async fn settings(host: &Host, queue: &str) -> Value {
    let answer = printed(host, &["queue", queue, "--json"]).await;
    serde_json::from_str::<Value>(&answer).expect("JSON")["settings"].take()
}

#[tokio::test]
async fn settings_that_are_not_named_stay_as_they_are() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let set = [
        "queue",
        "set",
        "mail",
        "--lease",
        "30.5",
        "--retain",
        "600",
        "--max-attempts",
        "3",
        "--max-bytes",
        "1000",
        "--backoff",
        "exponential:2:60",
        "--legacy-delivery",
        "at-least-once",
    ];
    let text = printed(&host, &set).await;
    assert!(
        text.lines().any(|line| line.split_whitespace().eq(["lease", "30.5"])),
        "{text}"
    );
    printed(
        &host,
        &[
            "queue",
            "set",
            "mail",
            "--lease",
            "10",
            "--max-bytes",
            "none",
            "--paused",
            "true",
        ],
    )
    .await;
    let settings = settings(&host, "mail").await;
    let named = [
        "lease",
        "retain",
        "max_attempts",
        "max_bytes",
        "backoff",
        "legacy_delivery",
        "paused",
        "max_dead",
    ];
    let values: Vec<&Value> = named.iter().map(|name| &settings[name]).collect();
    let backoff = json!({ "kind": "exponential", "delay": 2, "max": 60 });
    assert_eq!(
        json!(values),
        json!([10, 600, 3, null, backoff, "at-least-once", true, 10000])
    );
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_kept() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let sets = [
        ["--lease", "31"],
        ["--retain", "32"],
        ["--max-attempts", "33"],
        ["--max-dead", "34"],
    ];
    let set = |[flag, value]: [&'static str; 2]| {
        let host = &host;
        async move { printed(host, &["queue", "set", "mail", flag, value]).await }
    };
    let [a, b, c, d] = sets;
    tokio::join!(set(a), set(b), set(c), set(d));
    let settings = settings(&host, "mail").await;
    let values = ["lease", "retain", "max_attempts", "max_dead"].map(|name| &settings[name]);
    assert_eq!(json!(values), json!([31, 32, 33, 34]));
}

#[tokio::test]
async fn a_stopped_queue_hands_out_nothing_until_it_is_started() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    host.client().post("/q/mail", "1").await;
    let claim = async || {
        host.client()
            .send("POST", "/v1/queues/mail/claims", &[], "")
            .await
            .status
    };
    assert_eq!(printed(&host, &["stop", "mail"]).await, "mail: stopped\n");
    assert_eq!(claim().await, 204);
    assert_eq!(printed(&host, &["start", "mail"]).await, "mail: started\n");
    assert_eq!(claim().await, 200);
    let text = printed(&host, &["queue", "mail"]).await;
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(
        rows.contains(&vec!["ready", "0"]) && rows.contains(&vec!["active", "1"]),
        "{text}"
    );
    assert!(rows.contains(&vec!["paused", "false"]), "{text}");
}

#[tokio::test]
async fn what_is_wrong_with_a_queue_or_a_setting_is_told_by_the_exit_code() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let cases: [(&[&str], i32, &str); 6] = [
        (&["queue", "nothing"], 3, "(404)"),
        (&["stop", "nothing"], 3, "(404)"),
        (&["queue", "set", "mail", "--lease", "0"], 4, "/lease"),
        (&["queue", "set", "mail", "--lease", "soon"], 2, "--lease"),
        (&["queue", "set", "mail", "--backoff", "later"], 2, "fixed:SECONDS"),
        (&["queue", "set", "mail"], 2, "--lease"),
    ];
    for (args, code, text) in cases {
        let output = run(&host, args).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        assert!(error.contains(text), "{args:?}: {error}");
    }
    assert_eq!(printed(&host, &["queues", "--json"]).await, "", "nothing was made");
}
