//! `/qb/{queue}` on the wire, beside what the recording shows.

use crate::support::{Host, Redis, assert_sound};

fn error(text: &str) -> String {
    format!("{{\"error\":\"{text}\"}}")
}

#[tokio::test]
async fn jobs_of_a_batch_keep_their_bytes_and_come_back_as_strings() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    client
        .insert(
            "/qb/x",
            b"{ \"jobs\" : [ {\"n\" : 1.50} , \"caf\xe9\",{\"jobs\":[]} ] }".to_vec(),
        )
        .await;
    assert_eq!(client.get("/q/x").await.text(), "{\"n\" : 1.50}");
    // A byte that is not UTF-8 can stand in a job, but not in a JSON string: there it is what Latin-1 means by it.
    assert_eq!(
        client.get("/qb/x?&batch_size=10").await.text(),
        r#"["\"café\"","{\"jobs\":[]}"]"#
    );
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_batch_size_is_a_number_from_1_to_1000_and_10_when_nothing_is_said() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let all: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    client
        .insert("/qb/x", format!("{{\"jobs\":[{}]}}", all.join(",")))
        .await;
    for (query, count) in [
        ("", 10),
        ("?batch_size=", 10),
        ("?batch_size=0", 10),
        ("?batch_size=3", 3),
    ] {
        let answer = client.get(&format!("/qb/x{query}")).await;
        let jobs: Vec<String> = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(jobs.len(), count, "{query}");
    }
    for wrong in ["1001", "-1", "x", "1.5", "1e2", "%ff"] {
        let answer = client.get(&format!("/qb/x?batch_size={wrong}")).await;
        let text = error("batch_size must be a number from 1 to 1000");
        assert_eq!(answer.brief(), (400, &*text), "{wrong}");
    }
    assert_eq!(client.get("/status/x").await.text(), "{\"queue\":\"x\",\"size\":\"7\"}");
}

#[tokio::test]
async fn a_batch_can_be_delayed_and_ignores_uniq() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    client.insert("/qb/x?delayed=99999999999", "{\"jobs\":[1]}").await;
    client.insert("/qb/x?delayed=5&uniq=a", "{\"jobs\":[2,3]}").await;
    client.insert("/qb/x?uniq=a", "{\"jobs\":[4]}").await;
    assert_eq!(client.get("/qb/x").await.text(), r#"["2","3","4"]"#);
    let late = client.post("/qb/x?delayed=soon", "{\"jobs\":[1]}").await;
    assert_eq!(late.brief(), (400, &*error("delayed must be a date in epoch seconds")));
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_batch_has_a_hundred_thousand_jobs_at_most() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let batch = |count: usize| format!("{{\"jobs\":[{}]}}", vec!["1"; count].join(","));
    let answer = client.post("/qb/x", batch(100_001)).await;
    assert_eq!(answer.brief(), (413, &*error("a batch has at most 100000 jobs")));
    client.insert("/qb/x?delayed=5", batch(100_000)).await;
    assert_eq!(
        client.get("/status/x").await.text(),
        "{\"queue\":\"x\",\"size\":\"100000\"}"
    );
}

#[tokio::test]
async fn methods_that_a_batch_lacks_are_refused() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    client.insert("/qb/x", "{\"jobs\":[1]}").await;
    for method in ["HEAD", "PATCH"] {
        let answer = client.send(method, "/qb/x", &[], "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, Some("GET, OPTIONS, POST"))
        );
    }
    for method in ["PUT", "DELETE"] {
        let answer = client.send(method, "/qb/x", &[], "{}").await;
        assert_eq!(
            answer.brief(),
            (400, &*error(&format!("{method} is not supported in batch mode")))
        );
    }
    assert_eq!(client.send("OPTIONS", "/qb/", &[], "").await.status, 204);
    assert_eq!(client.get("/qb/x").await.text(), "[\"1\"]");
}
