//! What all responses say to browsers and caches, and what no request may say of its body.

use crate::support::{Client, Host, Redis};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Requests of every component and every kind of response: method, target, content type, body.
const REQUESTS: [(&str, &str, (&str, &str), &str); 19] = [
    ("POST", "/q/x", JSON, "{}"),
    ("GET", "/q/x", JSON, ""),
    ("GET", "/q/none", JSON, ""),
    ("GET", "/qb/x", JSON, ""),
    ("POST", "/q/x", FORM, "value=%3Cscript%3E"),
    ("GET", "/control/x", JSON, ""),
    ("POST", "/control/x", FORM, "status=start"),
    ("GET", "/status/", JSON, ""),
    ("GET", "/j/x", JSON, ""),
    ("GET", "/w/", JSON, ""),
    ("GET", "/ui/none", JSON, ""),
    ("GET", "/metrics", JSON, ""),
    ("OPTIONS", "/", JSON, ""),
    ("GET", "/stats/x", JSON, ""),
    ("GET", "/c/", JSON, ""),
    ("OPTIONS", "/q/x", JSON, ""),
    ("POST", "/v1/queues/x/claims", JSON, "{}"),
    ("GET", "/v1/nowhere", JSON, ""),
    ("POST", "/xmlrpc", JSON, ""),
];

async fn policy(client: &Client, target: &str) -> Option<String> {
    let answer = client.get(target).await;
    answer.header("content-security-policy").map(str::to_owned)
}

#[tokio::test]
async fn no_response_is_kept_by_a_cache_or_taken_for_another_type() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for (method, target, media, body) in REQUESTS {
        let answer = client.send(method, target, &[media], body).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{method} {target}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{method} {target}"
        );
    }
}

#[tokio::test]
async fn a_response_that_calls_a_function_may_be_run_as_a_script() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    client.form("/q/x", "value=1").await;
    for (method, target, body) in [
        ("GET", "/q/x?callback=cb", ""),
        ("GET", "/stats/x?callback=cb", ""),
        ("POST", "/control/x?callback=cb", "status=start"),
        ("POST", "/q/x?callback=cb", "value=2"),
    ] {
        let answer = client.send(method, target, &[FORM], body).await;
        assert!(answer.text().starts_with("cb("), "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), None, "{method} {target}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{method} {target}");
    }
}

#[tokio::test]
async fn a_page_of_restmq_has_no_rights_in_a_browser() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    client.form("/q/x", "value=%3Cscript%3E").await;
    for target in ["/q/x", "/q/", "/j/x", "/nowhere", "/"] {
        let expected = Some("sandbox; default-src 'none'".to_owned());
        assert_eq!(policy(&client, target).await, expected, "{target}");
    }
}

#[tokio::test]
async fn the_page_of_restmq_that_names_no_function_starts_and_stops_a_queue() {
    let redis = Redis::start();
    for host in [Host::on(&redis), Host::restmq_on(&redis)] {
        let client = host.client();
        for (status, number) in [("stop", "0"), ("start", "1")] {
            let form = format!("status={status}");
            let answer = client.send("POST", "/control/x?callback=?", &[FORM], form).await;
            let expected = format!("{{\"stat\": {{\"queue\": \"x\", \"status\": {number}}}}}\r\n");
            assert_eq!(answer.brief(), (200, expected.as_str()));
        }
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused_in_the_words_of_its_dialect_and_changes_nothing() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let restmq = Host::restmq_on(&redis);
    let gzip = ("Content-Encoding", "gzip");
    for (host, target, media, text) in [
        (
            &host,
            "/q/x",
            JSON,
            "{\"error\":\"content-encoding must be identity, or left out\"}",
        ),
        (
            &host,
            "/qb/x",
            JSON,
            "{\"error\":\"content-encoding must be identity, or left out\"}",
        ),
        (
            &host,
            "/control/x",
            JSON,
            "{\"error\":\"content-encoding must be identity, or left out\"}",
        ),
        (
            &host,
            "/w/x",
            JSON,
            "{\"error\":\"content-encoding must be identity, or left out\"}",
        ),
        (&host, "/v1/queues/x/jobs", JSON, "Content-Encoding must be identity"),
        (&host, "/v1/queues/x/claims", JSON, "Content-Encoding must be identity"),
        (&restmq, "/q/x", FORM, "Content-Encoding must be identity"),
        (&restmq, "/", FORM, "Content-Encoding must be identity"),
        (&restmq, "/queue", FORM, "Content-Encoding must be identity"),
        (
            &restmq,
            "/xmlrpc",
            ("Content-Type", "text/xml"),
            "Content-Encoding must be identity",
        ),
    ] {
        let headers = [media, gzip];
        let answer = host.client().send("POST", target, &headers, "value=1").await;
        assert_eq!(answer.status, 415, "{target}: {answer:?}");
        assert!(answer.text().contains(text), "{target}: {answer:?}");
        assert_eq!(answer.header("accept-encoding"), Some("identity"), "{target}");
    }
    assert_eq!(host.client().get("/v1/queues/x").await.status, 404);
    let identity = ("Content-Encoding", "identity");
    assert_eq!(
        host.client().send("POST", "/q/x", &[JSON, identity], "{}").await.status,
        201
    );
}

#[tokio::test]
async fn a_queue_that_clients_would_take_out_of_the_path_is_refused_in_every_dialect() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let restmq = Host::restmq_on(&redis);
    for name in [".", "..", "%2E", "%2e%2E"] {
        for (host, target, media, body) in [
            (&host, format!("/q/{name}"), JSON, "{}"),
            (&host, format!("/qb/{name}"), JSON, "{\"jobs\":[1]}"),
            (&host, format!("/v1/queues/{name}/jobs"), JSON, "{\"payload\":1}"),
            (&restmq, format!("/q/{name}"), FORM, "value=1"),
        ] {
            let answer = host.client().send("POST", &target, &[media], body).await;
            assert!(matches!(answer.status.as_u16(), 400 | 404), "{target}: {answer:?}");
        }
        let form = format!("queue={name}&value=1");
        assert_eq!(restmq.client().form("/", &form).await.status, 400, "{form}");
    }
    let listed = host.client().get("/v1/queues").await;
    assert!(listed.text().starts_with("{\"queues\":[]"), "{listed:?}");
}
