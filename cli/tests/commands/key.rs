//! `presque key new`.

use crate::support::{presque, printed, run, run_at};
use presque_testkit::{Host, HostOptions, Redis};
use serde_json::{Value, json};

#[tokio::test]
async fn a_new_key_opens_to_the_server_what_it_was_made_for_and_nothing_else() {
    let new = [
        "key",
        "new",
        "--scopes",
        "insert,read",
        "--queues",
        "mail*,report-?",
        "--name",
        "mailer",
        "--json",
    ];
    // No server is needed to make one.
    let made = run_at("http://127.0.0.1:1", &new).await;
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let (key, line) = (
        made["key"].as_str().expect("a key"),
        made["line"].as_str().expect("a line"),
    );
    assert!(line.starts_with("mailer sha256:") && !line.contains(key), "{line}");
    let redis = Redis::start();
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", &format!("keys={line}")],
        ..HostOptions::default()
    });
    let client = host.client().with_key(key);
    let shown = client.get("/v1/key").await;
    let shown: Value = serde_json::from_str(shown.text()).expect("JSON");
    assert_eq!(
        shown,
        json!({ "scopes": ["insert", "read"], "queues": ["mail*", "report-?"] })
    );
    let json = [("Content-Type", "application/json")];
    let mut statuses = Vec::new();
    for target in ["mail/jobs", "mail-2/jobs", "other/jobs", "mail/claims"] {
        let body = if target.ends_with("jobs") {
            r#"{"payload":1}"#
        } else {
            "{}"
        };
        let answer = client.send("POST", &format!("/v1/queues/{target}"), &json, body).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [201, 201, 403, 403]);
    let refused = run(&host, &["queues"]).await;
    assert_eq!(refused.status.code(), Some(4), "without the key");
    let listed = presque(&host.base).env("PRESQUE_KEY", key).arg("queues").output();
    assert!(listed.expect("the command runs").status.success());
}

#[tokio::test]
async fn two_keys_differ_and_standard_output_has_the_key_and_its_line_alone() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let new = ["key", "new", "--scopes", "admin"];
    let (a, b) = (printed(&host, &new).await, printed(&host, &new).await);
    let [a, b] = [&a, &b].map(|text| text.lines().collect::<Vec<_>>());
    assert_eq!((a.len(), b.len(), a[0].len()), (2, 2, 64));
    assert!(a[0] != b[0] && a[1] != b[1] && a[1].starts_with("key-"), "{a:?}");
}

#[tokio::test]
async fn a_key_that_the_server_would_not_read_is_not_made() {
    let wrong = [
        ["--name", "a b"],
        ["--name", "a=b"],
        ["--queues", "mail*,"],
        ["--queues", "a;b"],
        ["--root", "acme"],
        ["--expires", "soon"],
    ];
    for [flag, value] in wrong {
        let args = ["key", "new", "--scopes", "read", flag, value];
        let output = run_at("http://127.0.0.1:1", &args).await;
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{flag} {value}"
        );
    }
}
