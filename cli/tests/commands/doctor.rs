//! `presque doctor`.

use crate::support::{presque, run, run_at};
use presque_testkit::{Host, HostOptions, Redis};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::process::Output;

/// The lines of a level and a check.
fn found(output: &Output, level: &str, check: &str) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines
        .filter(|line| line["level"] == level && line["check"] == check)
        .collect()
}

#[tokio::test]
async fn a_server_that_is_well_is_ok_and_each_fault_says_how_to_mend_it() {
    let redis = Redis::start_with(&["appendonly yes", "appendfsync always"]);
    let host = Host::on(&redis);
    let well = run(&host, &["doctor", "--json"]).await;
    assert_eq!(well.status.code(), Some(0));
    for check in ["server", "clock", "store", "access", "queues", "workers"] {
        assert_eq!(found(&well, "ok", check).len(), 1, "{check}: {well:?}");
    }
    let client = host.client();
    let json = [("Content-Type", "application/json")];
    client.insert("/q/its%20dead", "1").await;
    let claimed = client
        .send("POST", "/v1/queues/its%20dead/claims", &json, r#"{"worker":"w1"}"#)
        .await;
    let claimed: Value = serde_json::from_str(claimed.text()).expect("JSON");
    let receipt = claimed["jobs"][0]["receipt"].as_str().expect("a job");
    let nack = format!("/v1/queues/its%20dead/claims/{receipt}/nack");
    assert_eq!(client.send("POST", &nack, &json, r#"{"dead":true}"#).await.status, 200);
    client.insert("/q/slow", "1").await;
    assert_eq!(
        client
            .send("PUT", "/v1/queues/slow", &json, r#"{"paused":true}"#)
            .await
            .status,
        200
    );
    redis.run("CONFIG SET maxmemory-policy allkeys-lru").await;
    redis.run("CONFIG SET maxmemory 100mb").await;
    let ill = run(&host, &["doctor", "--json"]).await;
    assert_eq!(ill.status.code(), Some(0), "warnings are no errors");
    let mends: Vec<Value> = found(&ill, "warning", "queues")
        .iter()
        .map(|line| line["mend"].clone())
        .collect();
    assert_eq!(mends.len(), 2, "{ill:?}");
    assert!(
        mends[0]
            .as_str()
            .is_some_and(|mend| mend.contains("presque redrive 'its dead'")),
        "{mends:?}"
    );
    assert_eq!(mends[1], "presque start slow");
    let store = found(&ill, "warning", "store");
    assert!(
        store[0]["mend"]
            .as_str()
            .is_some_and(|mend| mend.contains("noeviction")),
        "{store:?}"
    );
    let text = String::from_utf8(run(&host, &["doctor"]).await.stdout).expect("text");
    assert!(
        text.contains("\nwarning  queues    slow: stopped, and 1 jobs are ready\n"),
        "{text}"
    );
    assert!(text.contains("\n                   -> presque start slow\n"), "{text}");
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_an_error_that_names_the_part() {
    let away = run_at("http://127.0.0.1:1", &["doctor", "--json"]).await;
    assert_eq!(
        (away.status.code(), found(&away, "error", "server").len()),
        (Some(1), 1)
    );
    let redis = Redis::start();
    let key = "0123456789abcdef0123456789abcdef";
    let keys = format!("keys=reader sha256:{} scopes=read queues=mail*", sha256(key));
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", &keys],
        ..HostOptions::default()
    });
    let stranger = run(&host, &["doctor", "--json"]).await;
    assert_eq!(
        (stranger.status.code(), found(&stranger, "error", "key").len()),
        (Some(1), 1)
    );
    let command = |key: &str| {
        presque(&host.base)
            .env("PRESQUE_KEY", key)
            .args(["doctor", "--json"])
            .output()
    };
    let reader = command(key).expect("it runs");
    assert_eq!(
        found(&reader, "ok", "access")[0]["text"],
        "the key is for read on mail*"
    );
    redis.run("CONFIG SET maxmemory 1").await;
    let full = command(key).expect("it runs");
    assert_eq!(
        (full.status.code(), found(&full, "error", "store").len()),
        (Some(1), 1),
        "{full:?}"
    );
}

#[tokio::test]
async fn a_server_without_keys_that_others_reach_is_an_error() {
    // An address of this machine that is not its loopback. Where there is none, nothing can be tried.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let Ok(address) = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()) else {
        return;
    };
    let redis = Redis::start();
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--open", "--listen", &format!("{}:0", address.ip())],
        ..HostOptions::default()
    });
    let open = run(&host, &["doctor", "--json"]).await;
    assert_eq!(
        (open.status.code(), found(&open, "error", "access").len()),
        (Some(1), 1),
        "{open:?}"
    );
    assert_eq!(found(&open, "ok", "queues").len(), 1, "the rest is looked at: {open:?}");
}

/// The SHA-256 of a text, in hexadecimal.
fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
