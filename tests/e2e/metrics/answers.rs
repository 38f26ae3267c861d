//! What `/metrics` tells, and how it answers.

use super::{Metrics, Server};
use crate::e2e::gate::{host_with, line};
use crate::support::{Answer, Redis, eventually};
use serde_json::Value;

#[tokio::test]
async fn each_number_of_a_queue_is_told_as_what_it_is() {
    let server = Server::start();
    for _ in 0..4 {
        server.insert("a", r#"{"payload":1}"#).await;
    }
    server.insert("a", r#"{"payload":1,"delay":1000}"#).await;
    let receipts = server.claim("a", r#"{"worker":"w","count":3}"#).await;
    server.finish("a", &receipts[0], "ack", "").await;
    server.finish("a", &receipts[1], "nack", r#"{"dead":true}"#).await;
    server
        .client
        .send(
            "PUT",
            "/v1/queues/b",
            &[("content-type", "application/json")],
            r#"{"paused":true}"#,
        )
        .await;

    let metrics = server.scrape().await;
    for (state, count) in [
        ("ready", 1.0),
        ("scheduled", 1.0),
        ("active", 1.0),
        ("done", 0.0),
        ("dead", 1.0),
        ("cancelled", 0.0),
    ] {
        assert_eq!(metrics.jobs("a", state), count, "{state}");
    }
    for (name, count) in [
        ("inserted", 5.0),
        ("claimed", 3.0),
        ("done", 1.0),
        ("failed", 1.0),
        ("lost_leases", 0.0),
        ("dead", 1.0),
        ("released", 0.0),
        ("orphans", 0.0),
    ] {
        assert_eq!(
            metrics.of_queue(&format!("presque_queue_{name}_total"), "a"),
            count,
            "{name}"
        );
        assert_eq!(
            metrics.of_queue(&format!("presque_queue_{name}_total"), "b"),
            0.0,
            "{name}"
        );
        assert_eq!(metrics.0[format!("presque_queue_{name}")]["type"], "counter");
    }
    assert_eq!(
        (
            metrics.of_queue("presque_workers", "a"),
            metrics.of_queue("presque_workers", "b")
        ),
        (1.0, 0.0)
    );
    let paused = |queue| metrics.of_queue("presque_queue_paused", queue);
    assert_eq!((paused("a"), paused("b")), (0.0, 1.0));
    let oldest = |queue| metrics.of_queue("presque_queue_oldest_ready_age_seconds", queue);
    assert!(oldest("a") > 0.0 && oldest("a") < 30.0, "{}", oldest("a"));
    assert_eq!(oldest("b"), 0.0);
    assert_eq!(metrics.0["presque_queue_oldest_ready_age_seconds"]["unit"], "seconds");
    let bucket = |bound| metrics.value("presque_queue_wait_seconds_bucket", &[("queue", "a"), ("le", bound)]);
    assert_eq!((bucket("86400.0"), bucket("+Inf")), (3.0, 3.0));
    assert!(bucket("0.01") <= bucket("0.1") && bucket("0.1") <= bucket("0.5"));
    assert_eq!(
        metrics
            .samples("presque_queue_wait_seconds_bucket", &[("queue", "b")])
            .len(),
        13
    );
    let version = metrics.samples("presque_build_info", &[("version", env!("CARGO_PKG_VERSION"))]);
    assert_eq!(version.len(), 1);
    assert_eq!(metrics.value("presque_redis_up", &[]), 1.0);
    assert_eq!(
        (
            metrics.value("presque_other_queues", &[]),
            metrics.value("presque_other_jobs", &[("state", "ready")])
        ),
        (0.0, 0.0)
    );
}

#[tokio::test]
async fn counters_never_go_down_whatever_is_done() {
    let server = Server::start();
    server.insert("a", r#"{"payload":1}"#).await;
    let mut last = server.scrape().await;
    for turn in 0..5 {
        server.insert("a", r#"{"payload":1}"#).await;
        for receipt in server.claim("a", "{}").await {
            let verb = ["ack", "nack", "extend"][turn % 3];
            server.finish("a", &receipt, verb, "{}").await;
        }
        server.client.get("/q/a").await;
        let now = server.scrape().await;
        let mut grown = 0.0;
        for (name, family) in now.0.as_object().unwrap() {
            if family["type"] != "counter" && family["type"] != "histogram" {
                continue;
            }
            for sample in family["samples"].as_array().unwrap() {
                let labels: Vec<_> = sample[1]
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(label, text)| (&**label, text.as_str().unwrap()))
                    .collect();
                let before = last.value(sample[0].as_str().unwrap(), &labels);
                let after = sample[2].as_f64().unwrap();
                assert!(after >= before, "{name} {labels:?}: {before}, then {after}");
                grown += after - before;
            }
        }
        assert!(grown > 0.0);
        last = now;
    }
    assert_eq!(
        last.of_queue("presque_queue_claimed_total", "a"),
        last.value("presque_queue_wait_seconds_bucket", &[("queue", "a"), ("le", "+Inf")])
    );
}

#[tokio::test]
async fn a_queue_may_have_any_name() {
    let server = Server::start();
    let names = [
        "a\"b\\c",
        "\\n",
        "\\",
        "\"",
        "{x=\"y\"} 1 # EOF",
        "Größe %",
        "キュー",
        "🐇",
        "a b",
        "\u{2028}",
        "x,y=z",
    ];
    for name in names {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        server.insert(&encoded, r#"{"payload":1}"#).await;
        let one = Metrics::of(&server.client.get(&format!("/metrics?queue={encoded}")).await);
        assert_eq!(one.samples("presque_queue_paused", &[]).len(), 1);
        assert_eq!(one.jobs(name, "ready"), 1.0);
    }
    let metrics = server.scrape().await;
    for name in names {
        assert_eq!(metrics.jobs(name, "ready"), 1.0, "{name}");
    }
    assert_eq!(metrics.samples("presque_queue_paused", &[]).len(), names.len());
}

/// The type of a problem, and the parameter that it names.
fn problem(answer: &Answer) -> (u16, String, Value) {
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{answer:?}"
    );
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    (
        answer.status.as_u16(),
        body["type"].as_str().unwrap().replace("urn:presque:problem:", ""),
        body["parameter"].clone(),
    )
}

#[tokio::test]
async fn bad_input_is_a_problem_that_names_it() {
    let server = Server::start();
    let long = "x".repeat(513);
    for (query, status, name, parameter) in [
        ("queue=none", 404, "no-such-queue", Value::Null),
        ("queue=", 400, "invalid-queue-name", Value::Null),
        ("queue=%00", 400, "invalid-queue-name", Value::Null),
        ("queue=%ff", 400, "invalid-queue-name", Value::Null),
        (&format!("queue={long}"), 400, "invalid-queue-name", Value::Null),
        ("queues=a", 422, "invalid-request", "queues".into()),
        ("queue=a&x", 422, "invalid-request", "x".into()),
    ] {
        let answer = server.client.get(&format!("/metrics?{query}")).await;
        assert_eq!(problem(&answer), (status, name.to_owned(), parameter), "{query}");
    }
    // None of that made a queue.
    assert_eq!(server.scrape().await.samples("presque_jobs", &[]), []);
}

#[tokio::test]
async fn it_is_read_by_get_and_head_and_by_nothing_else() {
    let server = Server::start();
    for target in ["/metrics", "/metrics/"] {
        let get = server.client.get(target).await;
        Metrics::of(&get);
        let head = server.client.send("HEAD", target, &[], "").await;
        assert_eq!((head.status.as_u16(), head.text()), (200, ""));
        assert_eq!(head.header("content-length"), get.header("content-length"));
        let methods = Some("GET, HEAD, OPTIONS");
        let options = server.client.send("OPTIONS", target, &[], "").await;
        assert_eq!((options.status.as_u16(), options.header("allow")), (204, methods));
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let answer = server.client.send(method, target, &[], "{}").await;
            assert_eq!(answer.header("allow"), methods);
            assert_eq!(problem(&answer).0, 405);
        }
    }
}

#[tokio::test]
async fn a_key_shows_the_numbers_of_its_queues_alone() {
    let redis = Redis::start();
    let host = host_with(
        &redis,
        &[
            line("all", "scopes=insert,read"),
            line("mail", "scopes=read queues=mail*"),
            line("acme", "scopes=insert,read root=acme/"),
            line("work", "scopes=work"),
        ],
    );
    let client = |key| host.client().with_key(key);
    for queue in ["mail-1", "other"] {
        client("all")
            .insert(&format!("/v1/queues/{queue}/jobs"), r#"{"payload":1}"#)
            .await;
    }
    client("acme").insert("/v1/queues/own/jobs", r#"{"payload":1}"#).await;
    for (key, queues) in [
        ("all", &["acme/own", "mail-1", "other"][..]),
        ("mail", &["mail-1"]),
        ("acme", &["own"]),
    ] {
        let metrics = Metrics::of(&client(key).get("/metrics").await);
        let paused = metrics.samples("presque_queue_paused", &[]);
        let shown: Vec<_> = paused
            .iter()
            .map(|(labels, _)| labels["queue"].as_str().unwrap())
            .collect();
        assert_eq!(shown, queues, "{key}");
        assert_eq!(metrics.value("presque_other_queues", &[]), 0.0, "{key}");
    }
    assert_eq!(client("mail").get("/metrics?queue=mail-1").await.status, 200);
    assert_eq!(client("acme").get("/metrics?queue=own").await.status, 200);
    for (key, target, status) in [
        ("mail", "/metrics?queue=other", 403),
        ("acme", "/metrics?queue=acme/own", 404),
        ("work", "/metrics", 403),
        ("wrong", "/metrics", 401),
    ] {
        assert_eq!(problem(&client(key).get(target).await).0, status, "{key} {target}");
    }
}

#[tokio::test]
async fn a_queue_that_is_deleted_is_not_told_of_any_more() {
    let server = Server::start();
    server.insert("a", r#"{"payload":1}"#).await;
    server.client.send("DELETE", "/v1/queues/a", &[], "").await;
    assert_eq!(server.scrape().await.samples("presque_jobs", &[]), []);
    // Its numbers begin anew, but those of its jobs go on for a day.
    server.insert("a", r#"{"payload":1}"#).await;
    let metrics = eventually("the queue is back", async || {
        let metrics = server.scrape().await;
        (!metrics.samples("presque_jobs", &[]).is_empty()).then_some(metrics)
    })
    .await;
    assert_eq!(
        (
            metrics.of_queue("presque_queue_inserted_total", "a"),
            metrics.of_queue("presque_queue_claimed_total", "a")
        ),
        (2.0, 0.0)
    );
}
