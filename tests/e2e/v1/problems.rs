//! What is the same on every route: paths, methods, bodies, and the order in which they are looked at.

use super::{JSON, Server, announce, body_of, problem, wrong_member};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ID: &str = "00000000002a19a3f0c2b7e9";

/// Every route, and its methods.
fn routes() -> Vec<(String, &'static str)> {
    let queue = "/v1/queues/x";
    vec![
        (format!("{queue}/jobs"), "GET, HEAD, OPTIONS, POST"),
        (format!("{queue}/jobs/{ID}"), "DELETE, GET, HEAD, OPTIONS"),
        (format!("{queue}/claims"), "OPTIONS, POST"),
        ("/v1/claims".into(), "OPTIONS, POST"),
        (format!("{queue}/claims/{ID}-1/ack"), "OPTIONS, POST"),
        (format!("{queue}/claims/{ID}-1/nack"), "OPTIONS, POST"),
        (format!("{queue}/claims/{ID}-1/extend"), "OPTIONS, POST"),
        (format!("{queue}/claims/ack"), "OPTIONS, POST"),
        (format!("{queue}/claims/nack"), "OPTIONS, POST"),
        (format!("{queue}/claims/extend"), "OPTIONS, POST"),
        ("/v1/queues".into(), "GET, HEAD, OPTIONS"),
        (queue.into(), "DELETE, GET, HEAD, OPTIONS, PUT"),
        (format!("{queue}/dead"), "DELETE, OPTIONS"),
        (format!("{queue}/dead/delete"), "OPTIONS, POST"),
        (format!("{queue}/dead/redrive"), "OPTIONS, POST"),
        ("/v1/workers".into(), "GET, HEAD, OPTIONS"),
        ("/v1/health".into(), "GET, HEAD, OPTIONS"),
    ]
}

#[tokio::test]
async fn every_route_tells_its_methods_and_refuses_the_others() {
    let server = Server::start();
    for (target, methods) in routes() {
        let options = server.client.send("OPTIONS", &target, &[], "").await;
        assert_eq!(
            (options.brief(), options.header("allow")),
            ((204, ""), Some(methods)),
            "{target}"
        );
        for method in ["DELETE", "GET", "HEAD", "POST", "PUT", "PATCH", "BREW"] {
            if methods.split(", ").any(|one| one == method) {
                continue;
            }
            let answer = server.client.send(method, &target, &[], "").await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("allow")),
                (405, Some(methods)),
                "{method} {target}"
            );
            if method != "HEAD" {
                problem(&answer, 405, "method-not-allowed");
            }
        }
    }
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let server = Server::start();
    let id = server.insert("x", r#"{"payload":1}"#).await;
    for target in [
        "/v1/queues",
        "/v1/queues/x/",
        &format!("/v1/queues/x/jobs/{id}"),
        "/v1/queues/x/jobs?state=ready",
        "/v1/workers",
    ] {
        let (head, get) = (
            server.client.send("HEAD", target, &[], "").await,
            server.get(target).await,
        );
        assert_eq!((head.brief(), get.status.as_u16()), ((200, ""), 200), "{target}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{target}");
        assert_eq!(head.header("etag"), get.header("etag"), "{target}");
    }
}

#[tokio::test]
async fn what_is_no_route_is_not_found() {
    let server = Server::start();
    for target in [
        "/v1",
        "/v1/",
        "/v1/jobs",
        "/v1/queues/x/y",
        "/v1/queues/x/claims/steal",
        "/v1/queues/x/dead/all",
    ] {
        problem(&server.get(target).await, 404, "not-found");
        problem(&server.post(target, "{").await, 404, "not-found");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_order_of_the_contract() {
    let server = Server::start();
    let long = format!("/v1/queues/{}/jobs", "n".repeat(513));
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let plain = ("Content-Type", "text/plain");
    let jobs = "/v1/queues/x/jobs";
    let cases = [
        ("/v1/queues//jobs", vec![plain], "{", 400, "invalid-queue-name"),
        ("/v1/queues/%ff/jobs", vec![], "", 400, "invalid-queue-name"),
        ("/v1/queues/a%0A/jobs", vec![JSON], "{", 400, "invalid-queue-name"),
        (&long, vec![JSON], "{", 400, "invalid-queue-name"),
        (jobs, vec![], "{}", 415, "unsupported-media-type"),
        (jobs, vec![plain], "{", 415, "unsupported-media-type"),
        (jobs, vec![form], "a=1", 415, "unsupported-media-type"),
        (jobs, vec![JSON], "{", 400, "malformed-json"),
        (jobs, vec![JSON], "{\"payload\":1,}", 400, "malformed-json"),
        (jobs, vec![JSON], "{\"payload\":1} 2", 400, "malformed-json"),
        (jobs, vec![JSON], "[1", 400, "malformed-json"),
    ];
    for (target, headers, body, status, name) in cases {
        let answer = server.client.send("POST", target, &headers, body.to_owned()).await;
        problem(&answer, status, name);
    }
    let answer = server
        .client
        .send("POST", jobs, &[JSON], &b"{\"payload\":\"caf\xe9\"}"[..])
        .await;
    problem(&answer, 400, "malformed-json");
    for nothing in ["", " ", "{}"] {
        wrong_member(&server.client.post(jobs, nothing).await, "/payload");
    }
    wrong_member(&server.client.send("POST", jobs, &[], "").await, "/payload");
    assert_eq!(server.get("/v1/queues/x").await.status, 404, "nothing was stored");
}

#[tokio::test]
async fn json_is_taken_under_its_types_and_as_curl_sends_it() {
    let server = Server::start();
    for media in [
        "application/json; charset=utf-8",
        "application/vnd.x+json",
        "application/x-www-form-urlencoded",
    ] {
        let headers = [("Content-Type", media)];
        let answer = server
            .client
            .send("POST", "/v1/queues/x/jobs", &headers, r#"{"payload":1}"#)
            .await;
        body_of(&answer, 201);
    }
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = server.client.send("POST", "/v1/queues/x/claims", &form, "").await;
    assert_eq!(body_of(&answer, 200)["jobs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_route_with_a_body_has_a_largest_one() {
    let server = Server::start();
    let (small, large) = (64 * 1024, 8 * 1024 * 1024);
    for (method, target, most) in [
        ("POST", "/v1/queues/x/jobs", 4 * 1024 * 1024 + small),
        ("PUT", "/v1/queues/x", small),
        ("POST", "/v1/queues/x/dead/delete", small),
        ("POST", "/v1/queues/x/dead/redrive", small),
        ("POST", "/v1/queues/x/claims", large),
        ("POST", "/v1/claims", large),
        ("POST", "/v1/queues/x/claims/ack", large),
    ] {
        let (status, body) = announce(&server, method, target, "application/json", most + 1).await;
        assert_eq!(
            (status, &body["type"]),
            (413, &json!("urn:presque:problem:payload-too-large")),
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_stores_nothing() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.host.address()).await.unwrap();
    let request = "POST /v1/queues/x/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 100\r\n\r\n{\"payload\":1}";
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // Whatever it says: nobody may be there to read it.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(
        !answer.starts_with(b"HTTP/1.1 2"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert_eq!(server.get("/v1/queues/x").await.status, 404);
}
