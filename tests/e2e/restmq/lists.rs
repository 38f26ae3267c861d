//! Counts, policies, control and pages, beside what the recording shows.

use crate::support::{Host, Redis, assert_sound};

#[tokio::test]
async fn all_queues_are_counted_and_told_with_what_is_set_for_them() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    assert_eq!(
        client.get("/stats/").await.text(),
        "{\"count\": 0, \"queues\": {}, \"redis\": \"connected\"}"
    );
    assert_eq!(
        client.get("/control/").await.text(),
        "{\"redis\": \"connected\", \"queues\": {}, \"count\": 0}\r\n"
    );
    for (queue, values) in [("a", 1), ("b", 2), ("%3Cc%3E", 3)] {
        for _ in 0..values {
            client.form(&format!("/q/{queue}"), "value=v").await;
        }
    }
    client.form("/p/a", "policy=broadcast").await;
    client.form("/p/b", "policy=roundrobin").await;
    client.form("/control/b", "status=stop").await;
    let stats = client.get("/stats/").await;
    assert_eq!(stats.header("content-type"), Some("application/json"));
    let a = r#""a": {"status": 1, "policy": 1, "name": "a", "len": 1}"#;
    let b = r#""b": {"status": "", "policy": 2, "name": "b", "len": 2}"#;
    let c = r#""<c>": {"status": 1, "policy": "", "name": "<c>", "len": 3}"#;
    for one in [a, b, c] {
        assert!(stats.text().contains(one), "{}", stats.text());
    }
    assert!(
        stats.text().starts_with("{\"count\": 3, \"queues\": {\"")
            && stats.text().ends_with("}}, \"redis\": \"connected\"}")
    );
    assert_eq!(
        client.get("/stats/b").await.text(),
        "{\"queue\": \"b\", \"redis\": \"connected\", \"len\": 2}"
    );
    let control = client.get("/control/").await;
    for one in [
        r#""a": {"queue": "a", "status": 1}"#,
        r#""b": {"queue": "b", "status": 0}"#,
    ] {
        assert!(control.text().contains(one), "{}", control.text());
    }
    assert!(control.text().ends_with("}}, \"count\": 3}\r\n"));
    assert_eq!(
        client.get("/control/nowhere").await.text(),
        "{\"queue\": \"nowhere\", \"status\": {\"queue\": \"nowhere\", \"status\": null}, \"redis\": \"connected\"}\r\n"
    );
    assert_sound(&redis).await;
}

#[tokio::test]
async fn many_queues_are_counted_each() {
    let redis = Redis::start();
    let (host, presque) = (Host::restmq_on(&redis), Host::on(&redis));
    for number in 0..100 {
        presque.client().insert(&format!("/q/many-{number}"), "1").await;
    }
    let stats = host.client().get("/stats/").await;
    let stats: serde_json::Value = serde_json::from_slice(&stats.body).unwrap();
    assert_eq!(stats["count"], 100);
    let queues = stats["queues"].as_object().unwrap();
    assert!(
        queues.len() == 100
            && queues
                .iter()
                .all(|(name, queue)| queue["name"] == **name && queue["len"] == 1)
    );
}

#[tokio::test]
async fn an_order_that_is_none_is_told_and_changes_nothing() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    for (form, told) in [
        ("status=STOP", "invalid status: STOP"),
        ("status=%3C/b%3E%22", "invalid status: <\\/b>\\\""),
        ("status=", "invalid status: None"),
        ("", "invalid status: None"),
    ] {
        let answer = client.form("/control/x", form).await;
        assert_eq!(answer.brief(), (200, &*format!("{{\"stat\": \"{told}\"}}\r\n")));
        assert_eq!(answer.header("content-type"), Some("text/html; charset=UTF-8"));
    }
    assert_eq!(
        client.form("/p/x", "policy=Broadcast&callback=cb").await.text(),
        "cb(null);\r\n"
    );
    assert_eq!(client.get("/p/").await.status, 404);
    assert!(client.get("/control/x").await.text().contains("\"status\": null"));
    client.form("/p/x", "policy=roundrobin").await;
    client.form("/q/x", "value=1").await;
    client.send("DELETE", "/q/x", &[], "").await;
    assert_eq!(
        client.get("/p/x").await.text(),
        "{\"queue\": \"x\", \"value\": \"roundrobin\"}\r\n"
    );
    assert_sound(&redis).await;
}

#[tokio::test]
async fn the_pages_show_names_as_text() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    for number in 1..=12 {
        client.form("/q/%3Ci%3E/+%26", &format!("value={number}")).await;
    }
    let list = client.get("/q/").await;
    assert!(list.text().starts_with("<!DOCTYPE html>"), "{}", list.text());
    assert!(
        list.text()
            .contains("<li><a href=\"/j/%3Ci%3E%2F%20%26\">&lt;i&gt;/ &amp;</a></li>"),
        "{}",
        list.text()
    );
    assert_eq!(client.get("/q").await.text(), list.text());
    let page = client.get("/j/%3Ci%3E%2F%20%26").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=UTF-8"));
    assert!(
        page.text().contains("<p>Messages: 12</p>") && !page.text().contains("<i>"),
        "{}",
        page.text()
    );
    let keys: Vec<_> = page
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("<li>&lt;i&gt;/ &amp;:"))
        .collect();
    assert_eq!(
        keys,
        (3..=12)
            .rev()
            .map(|number| format!("{number}</li>"))
            .collect::<Vec<_>>()
    );
    assert!(client.get("/j/nowhere").await.text().contains("<p>Messages: 0</p>"));
    assert_eq!(client.get("/j/").await.status, 404);
}
