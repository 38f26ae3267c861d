//! `POST /v1/queues/{q}/jobs`.

use super::{JSON, Server, announce, body_of, problem, text, wrong_member};
use crate::support::{Host, HostOptions, Redis};
use serde_json::json;

#[tokio::test]
async fn a_job_goes_in_and_tells_where_it_is() {
    let server = Server::start();
    let answer = server
        .post("/v1/queues/a%2Fb/jobs", r#"{"payload":{"to":"ann"}}"#)
        .await;
    let body = body_of(&answer, 201);
    let id = text(&body["id"]);
    assert_eq!(body, json!({"id": id, "queue": "a/b"}));
    let location = answer.header("location").expect("a location");
    assert_eq!(location, format!("/v1/queues/a%2Fb/jobs/{id}"));
    let job = super::body_of(&server.get(location).await, 200);
    assert_eq!(
        (&job["state"], &job["payload"]),
        (&json!("ready"), &json!({"to": "ann"}))
    );
}

#[tokio::test]
async fn a_payload_keeps_its_bytes() {
    let server = Server::start();
    let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
    let payloads = [
        "{\"z\": 1,\n \"a\" : 2.50 , \"a\":3 }",
        "123456789012345678901234567890.10e+5",
        "{\"name\":\"é€😀\",\"escaped\":\"\\u00e9\\ud83d\\ude00\"}",
        "null",
        "false",
        "\"\"",
        "[ ]",
    ];
    for payload in payloads {
        server
            .insert("x", format!("{{ \"payload\" :  {payload} ,\"priority\":5}}"))
            .await;
        let claimed = server.post("/v1/queues/x/claims", "").await;
        let expected = format!("\"payload\":{payload},\"receipt\":");
        assert!(
            claimed.text().contains(&expected),
            "{}",
            &payload[..payload.len().min(80)]
        );
    }
    // What strict readers of JSON reject would make all jobs of the answer unreadable.
    for text in [&*deep, r#"{"name":"cut \ud83d"}"#, r#"{"\ude00":[]}"#, "[1e309]"] {
        server.insert("x", format!("{{\"payload\":{text}}}")).await;
        let claimed = body_of(&server.post("/v1/queues/x/claims", "").await, 200);
        assert_eq!(claimed["jobs"][0]["payload_text"], text);
    }
}

#[tokio::test]
async fn what_strict_readers_of_json_reject_is_a_text_wherever_an_answer_has_it() {
    let server = Server::start();
    server.send("PUT", "/v1/queues/x", r#"{"retain":3600}"#).await;
    let deep = ["[".repeat(300), "]".repeat(300)].concat();
    for value in [r#"{"cut":"\ud83d"}"#, "{\"a\":1e309}", &*format!("{{\"a\":{deep}}}")] {
        let id = server
            .insert("x", format!("{{\"payload\":{value},\"metadata\":{value}}}"))
            .await;
        server.insert("x", r#"{"payload":"neighbour"}"#).await;
        let jobs = server.claim("x", r#"{"count":2}"#).await;
        assert_eq!(jobs[1]["payload"], "neighbour");
        assert_eq!(
            (&jobs[0]["payload_text"], &jobs[0]["metadata_text"]),
            (&json!(value), &json!(value))
        );
        let receipt = &jobs[0]["receipt"];
        let progress = format!("{{\"progress\":{value}}}");
        assert_eq!(
            server.finish("x", receipt, "extend", progress).await["status"],
            "active"
        );
        let result = format!("{{\"result\":{value}}}");
        assert_eq!(server.finish("x", receipt, "ack", result).await["status"], "done");
        let shown = server.job("x", &id).await;
        let listed = body_of(&server.get("/v1/queues/x/jobs?state=done&payload=true").await, 200);
        let listed = listed["jobs"].as_array().unwrap().iter().find(|job| job["id"] == *id);
        for job in [&shown, listed.expect("the job")] {
            for name in ["payload", "metadata", "progress", "result"] {
                assert_eq!(job[format!("{name}_text")], value, "{name}");
                assert_eq!(job.get(name), None);
            }
        }
        server.finish("x", &jobs[1]["receipt"], "ack", "").await;
    }
}

#[tokio::test]
async fn a_job_that_would_expire_before_its_delay_is_over_is_refused() {
    let server = Server::start();
    for delay in [5.0, 5.001] {
        let job = json!({"payload": 1, "delay": delay, "expires_in": 5});
        let told = wrong_member(&server.post("/v1/queues/x/jobs", &job).await, "/delay");
        assert!(told.contains("`delay` must be less than `expires_in`"), "{told}");
        let jobs = json!({"jobs": [{"payload": 1}, job]});
        wrong_member(&server.post("/v1/queues/x/jobs", jobs).await, "/jobs/1/delay");
    }
    let id = server
        .insert("x", r#"{"payload":1,"delay":4.999,"expires_in":5}"#)
        .await;
    assert_eq!(server.job("x", &id).await["state"], "scheduled");
}

#[tokio::test]
async fn many_jobs_go_in_at_once_or_none() {
    let server = Server::start();
    let jobs = json!({"jobs": [{"payload": 1}, {"payload": 2, "unique": {"key": "k"}}, {"payload": 3, "unique": {"key": "k"}}]});
    let inserted = body_of(&server.post("/v1/queues/x/jobs", &jobs).await, 201);
    let ids: Vec<_> = inserted["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["id"])
        .collect();
    assert_eq!(
        inserted,
        json!({"jobs": [
            {"id": ids[0], "queue": "x"},
            {"id": ids[1], "queue": "x"},
            {"id": ids[1], "queue": "x", "duplicate": true},
        ]})
    );
    let duplicates = json!({"jobs": [{"payload": 4, "unique": {"key": "k"}}]});
    let answer = server.post("/v1/queues/x/jobs", duplicates).await;
    assert_eq!(body_of(&answer, 200)["jobs"][0]["duplicate"], json!(true));
    assert_eq!(answer.header("location"), None);

    let wrong = json!({"jobs": [{"payload": 1}, {"payload": 2, "priority": 12}]});
    let said = wrong_member(&server.post("/v1/queues/x/jobs", wrong).await, "/jobs/1/priority");
    assert_eq!(said, "`priority` must be a whole number from 0 to 9, not 12.");
    assert_eq!(server.counts("x").await["ready"], 2);
    server.assert_sound().await;
}

#[tokio::test]
async fn a_thousand_jobs_go_in_at_once_and_not_one_more() {
    let server = Server::start();
    let jobs = |count| json!({"jobs": vec![json!({"payload": "x"}); count]});
    let inserted = body_of(&server.post("/v1/queues/x/jobs", jobs(1000)).await, 201);
    assert_eq!(inserted["jobs"].as_array().unwrap().len(), 1000);
    assert_eq!(server.counts("x").await["ready"], 1000);
    for count in [0, 1001] {
        let said = wrong_member(&server.post("/v1/queues/x/jobs", jobs(count)).await, "/jobs");
        assert!(
            said.starts_with("`jobs` must be an array of 1 to 1000 elements"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_job_is_pointed_to() {
    let server = Server::start();
    let long = "k".repeat(513);
    let cases = [
        (json!({}), "/payload"),
        (json!({"payload": 1, "prio": 2}), "/prio"),
        (json!({"payload": 1, "a/b~c": 2}), "/a~1b~0c"),
        (json!({"payload": 1, "delay": -1}), "/delay"),
        (json!({"payload": 1, "delay": "5"}), "/delay"),
        (json!({"payload": 1, "delay": null}), "/delay"),
        (json!({"payload": 1, "delay": 315_360_001}), "/delay"),
        (json!({"payload": 1, "run_at": "soon"}), "/run_at"),
        (
            json!({"payload": 1, "run_at": "2026-11-21T04:20:20Z", "delay": 1}),
            "/run_at",
        ),
        (json!({"payload": 1, "priority": 4.5}), "/priority"),
        (json!({"payload": 1, "max_attempts": 0}), "/max_attempts"),
        (json!({"payload": 1, "max_attempts": 1001}), "/max_attempts"),
        (json!({"payload": 1, "backoff": 5}), "/backoff"),
        (
            json!({"payload": 1, "backoff": {"kind": "linear", "delay": 1}}),
            "/backoff/kind",
        ),
        (json!({"payload": 1, "backoff": {"kind": "fixed"}}), "/backoff/delay"),
        (
            json!({"payload": 1, "backoff": {"kind": "fixed", "delay": 1, "max": 2}}),
            "/backoff/max",
        ),
        (
            json!({"payload": 1, "backoff": {"kind": "exponential", "delay": 1}}),
            "/backoff/max",
        ),
        (json!({"payload": 1, "timeout": 0.05}), "/timeout"),
        (json!({"payload": 1, "timeout": 86_401}), "/timeout"),
        (json!({"payload": 1, "expires_in": 0}), "/expires_in"),
        (json!({"payload": 1, "unique": {}}), "/unique/key"),
        (json!({"payload": 1, "unique": {"key": ""}}), "/unique/key"),
        (json!({"payload": 1, "unique": {"key": long}}), "/unique/key"),
        (
            json!({"payload": 1, "unique": {"key": "k", "while": "active"}}),
            "/unique/while",
        ),
        (json!({"payload": 1, "unique": {"key": "k", "for": 0}}), "/unique/for"),
        (
            json!({"payload": 1, "unique": {"key": "k", "for": 1, "while": "waiting"}}),
            "/unique/for",
        ),
        (
            json!({"payload": 1, "unique": {"key": "k", "until": 1}}),
            "/unique/until",
        ),
        (json!({"payload": 1, "metadata": []}), "/metadata"),
        (
            json!({"payload": 1, "metadata": {"x": "y".repeat(16 * 1024)}}),
            "/metadata",
        ),
        (json!({"jobs": [{"payload": 1}], "payload": 1}), "/payload"),
        (json!({"jobs": {}}), "/jobs"),
        (json!({"jobs": [1]}), "/jobs/0"),
        (json!({"jobs": [{}]}), "/jobs/0/payload"),
        (json!([]), ""),
        (json!("x"), ""),
    ];
    for (job, pointer) in cases {
        wrong_member(&server.post("/v1/queues/x/jobs", job).await, pointer);
    }
    problem(&server.get("/v1/queues/x").await, 404, "no-such-queue");
}

#[tokio::test]
async fn an_insert_with_an_idempotency_key_can_be_sent_again() {
    let server = Server::start();
    let send = async |queue: &str, key: &str, body: &'static str| {
        let target = format!("/v1/queues/{queue}/jobs");
        let headers = [JSON, ("Idempotency-Key", key)];
        server.client.send("POST", &target, &headers, body).await
    };
    let first = send("x", "\"order-7\"", "{\"payload\":1}").await;
    assert_eq!(first.status, 201);
    for key in ["\"order-7\"", "order-7"] {
        let again = send("x", key, "{\"payload\":1}").await;
        assert_eq!(
            (again.brief(), again.header("location")),
            (first.brief(), first.header("location"))
        );
    }
    problem(
        &send("x", "order-7", "{\"payload\": 1}").await,
        422,
        "idempotency-key-reused",
    );
    // Another queue is another matter.
    assert_eq!(send("y", "order-7", "{\"payload\":2}").await.status, 201);
    let many = "{\"jobs\":[{\"payload\":1},{\"payload\":2}]}";
    let batch = send("z", "many", many).await;
    assert_eq!(send("z", "many", many).await.brief(), batch.brief());
    for (queue, ready) in [("x", 1), ("y", 1), ("z", 2)] {
        assert_eq!(server.counts(queue).await["ready"], ready, "{queue}");
    }
    for key in ["", "\"\"", "\"a", "a b", &"k".repeat(256)] {
        problem(&send("x", key, "{\"payload\":1}").await, 400, "invalid-idempotency-key");
    }
    server.assert_sound().await;
}

#[tokio::test]
async fn a_payload_has_a_largest_size_of_the_server_and_of_the_queue() {
    let redis = Redis::start();
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", "max_job_bytes=1000"],
        ..HostOptions::default()
    });
    let client = host.client();
    let server = Server { redis, host, client };
    let job = |bytes: usize| format!("{{\"payload\":\"{}\"}}", "x".repeat(bytes - 2));
    server.insert("x", job(1000)).await;
    let answer = server.post("/v1/queues/x/jobs", job(1001)).await;
    assert_eq!(problem(&answer, 413, "payload-too-large")["pointer"], "/payload");
    let many = format!("{{\"jobs\":[{},{}]}}", job(10), job(1001));
    let answer = server.post("/v1/queues/x/jobs", many).await;
    assert_eq!(problem(&answer, 413, "payload-too-large")["pointer"], "/jobs/1/payload");
    let (status, body) = announce(&server, "POST", "/v1/queues/x/jobs", "application/json", 4_259_841).await;
    assert_eq!(
        (status, &body["title"]),
        (413, &json!("The body or a payload is too large"))
    );

    let set = server.send("PUT", "/v1/queues/x", "{\"max_bytes\":10}").await;
    assert_eq!(set.status, 200);
    server.insert("x", job(10)).await;
    let answer = server.post("/v1/queues/x/jobs", job(11)).await;
    assert!(text(&problem(&answer, 413, "payload-too-large")["detail"]).contains("max_bytes"));
    assert_eq!(server.counts("x").await["ready"], 2);
}

#[tokio::test]
async fn a_job_of_four_mebibytes_goes_in_and_comes_out() {
    let server = Server::start();
    let payload = format!("\"{}\"", "x".repeat(4 * 1024 * 1024 - 2));
    server.insert("x", format!("{{\"payload\":{payload}}}")).await;
    assert_eq!(server.claim_one("x").await["payload"].to_string(), payload);
}

#[tokio::test]
async fn a_trace_context_goes_with_the_job() {
    let server = Server::start();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [
        JSON,
        ("traceparent", parent),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
    ];
    let answer = server
        .client
        .send("POST", "/v1/queues/x/jobs", &headers, "{\"payload\":1}")
        .await;
    assert_eq!(answer.status, 201);
    let job = server.claim_one("x").await;
    assert_eq!(
        (&job["traceparent"], &job["tracestate"]),
        (&json!(parent), &json!("a=1,b=2"))
    );
}
