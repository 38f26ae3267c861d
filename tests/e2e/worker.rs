//! `/w/{queue}` on the wire, beside what the recording shows.

use crate::support::{Answer, Client, Host, Redis, assert_sound};

const WORKER: [(&str, &str); 2] = [("Content-Type", "application/json"), ("X-Presque-Workerid", "w1")];

async fn register(client: &Client, target: &str, headers: &[(&str, &str)], body: &'static str) -> Answer {
    client.send("POST", target, headers, body).await
}

#[tokio::test]
async fn a_worker_registers_by_header_body_or_parameter_and_leaves_by_header_or_parameter() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    assert_eq!(register(&client, "/w/x", &WORKER, "{}").await.brief(), (201, ""));
    assert_eq!(
        register(&client, "/w/x", &[], "{\"worker_id\":\"myworker_1\"}")
            .await
            .status,
        201
    );
    assert_eq!(register(&client, "/w/x?worker_id=w3", &[], "").await.status, 201);
    assert_eq!(client.get("/w/").await.text(), r#"["myworker_1","w1","w3"]"#);
    for (target, headers) in [
        ("/w/x?worker_id=myworker_1", &[][..]),
        ("/w/x", &WORKER),
        ("/w/x?worker_id=none", &[]),
    ] {
        assert_eq!(client.send("DELETE", target, headers, "").await.brief(), (204, ""));
    }
    assert_eq!(client.get("/w").await.text(), r#"["w3"]"#);
    assert_eq!(client.get("/w/foo:queue_namefoo").await.text(), r#"["w3"]"#);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn who_does_not_say_who_it_is_is_told_so() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let missing = (400, "{\"error\":\"worker_id is missing\"}");
    for body in [
        "",
        "{}",
        "[]",
        "{\"worker_id\":\"\"}",
        "{\"worker_id\":null}",
        "{worker_id:1}",
    ] {
        assert_eq!(register(&client, "/w/x", &[], body).await.brief(), missing, "{body}");
    }
    let long = format!("{{\"worker_id\":\"{}\"}}", "w".repeat(1025));
    assert_eq!(client.send("POST", "/w/x", &[], long).await.brief(), missing);
    assert_eq!(client.send("DELETE", "/w/x", &[], "").await.brief(), missing);
    let no_queue = (404, "{\"error\":\"queue name is missing\"}");
    assert_eq!(register(&client, "/w", &WORKER, "{}").await.brief(), no_queue);
    assert_eq!(client.send("DELETE", "/w/", &[], "").await.brief(), no_queue);
}

#[tokio::test]
async fn a_worker_is_shown_with_its_counts_over_several_queues() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for queue in ["a", "b"] {
        register(&client, &format!("/w/{queue}"), &WORKER, "{}").await;
        client.insert(&format!("/qb/{queue}"), "{\"jobs\":[1,2,3]}").await;
        assert_eq!(
            client.send("GET", &format!("/q/{queue}"), &WORKER, "").await.status,
            200
        );
        assert_eq!(
            client
                .send("GET", &format!("/qb/{queue}?worker_id=w1"), &[], "")
                .await
                .status,
            200
        );
        assert_eq!(
            client.send("PUT", &format!("/q/{queue}"), &WORKER, "{}").await.status,
            201
        );
    }
    let shown = client.get("/w/?worker_id=w1").await;
    let shown: serde_json::Value = serde_json::from_slice(&shown.body).unwrap();
    assert!(shown["started_at"].as_u64().unwrap() > 1_500_000_000, "{shown}");
    assert_eq!((&shown["processed"], &shown["failed"]), (&"6".into(), &"2".into()));
    let both = client.get("/w/?worker_id=w1&queue_name=a").await;
    let text = r#"{"queue_name":"a","workers_list":["w1"],"processed":"3","failed":"1"}"#;
    assert_eq!(both.text(), text, "the queue's name wins");
    let unknown = client.get("/w/?worker_id=nobody").await;
    assert_eq!(unknown.brief(), (404, "{\"error\":\"no such worker\"}"));
    assert_sound(&redis).await;
}

#[tokio::test]
async fn the_walk_of_the_perl_worker_goes_as_in_2010() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    assert_eq!(register(&client, "/w/q", &WORKER, "{}").await.status, 201);
    client.insert("/q/q", "{\"name\":\"caf\\u00e9\"}").await;
    assert_eq!(
        client.send("GET", "/q/q", &WORKER, "").await.text(),
        "{\"name\":\"caf\\u00e9\"}"
    );
    let failed = b"{\"name\":\"caf\xe9\",\"fail\":[\"boom\\n\"],\"retries_left\":4}".to_vec();
    assert_eq!(client.send("PUT", "/q/q", &WORKER, failed.clone()).await.status, 201);
    assert_eq!(client.send("GET", "/q/q", &WORKER, "").await.body, failed);
    assert_eq!(
        client.send("GET", "/q/q", &WORKER, "").await.brief(),
        (404, "{\"error\":\"no job\"}")
    );
    // A PUT is not looked into: a refused one would lose the job.
    assert_eq!(client.send("PUT", "/q/q", &WORKER, "no JSON").await.status, 201);
    assert_eq!(client.send("DELETE", "/w/q", &WORKER, "").await.status, 204);
    assert_eq!(client.get("/w/").await.text(), "[]");
    assert_sound(&redis).await;
}
