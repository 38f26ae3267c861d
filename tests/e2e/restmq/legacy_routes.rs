//! Whose a request is, where both legacy dialects have its path.

use super::{brief, context, refusal, request};
use crate::support::{Host, NativeStore, Redis, assert_sound};
use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;
use presque::dialect::legacy_routes;
use presque::dialect::restmq::Access;

type Headers<'a> = &'a [(&'a str, &'a str)];

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const PARTS: (&str, &str) = ("Content-Type", "multipart/form-data; boundary=B");
const TEXT: (&str, &str) = ("Content-Type", "text/plain");
const NO_NAME: &str = "{\"error\":\"queue name is missing\"}";
const NOT_JSON: &str = "{\"error\":\"content-type must be set to application/json\"}";

#[tokio::test]
async fn a_post_to_a_queue_is_of_the_dialect_that_its_body_says() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let parts = |name: &str, value: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--B--\r\n")
    };
    let stored = (201, "");
    let (value, other, broken) = (
        parts("value", "v"),
        parts("other", "v"),
        parts("value", "v").replace("--\r\n", ""),
    );
    let cases: [(&str, Headers, &str, (u16, &str)); 22] = [
        ("/q/x", &[JSON], "{\"value\":1}", stored),
        ("/q/x?value=1", &[JSON], "1", stored),
        ("/q/x", &[FORM], "{\"foo\":\"bar\"}", stored),
        ("/q/x?value=1", &[FORM], "{\"foo\":\"bar\"}", stored),
        ("/q/x", &[FORM], "12", stored),
        ("/q/x", &[FORM], "value=v", (200, "x:6\r\n")),
        ("/q/x", &[FORM], "other=1&msg=v", (200, "x:7\r\n")),
        ("/q/x?value=v", &[FORM], "other=1", (200, "x:8\r\n")),
        ("/q/x?value=v", &[], "", (200, "x:9\r\n")),
        ("/q/x", &[PARTS], &value, (200, "x:10\r\n")),
        ("/q/x", &[PARTS], &other, (400, NOT_JSON)),
        ("/q/x", &[PARTS], &broken, (400, NOT_JSON)),
        ("/q/x", &[FORM], "value=&msg=+", (400, NOT_JSON)),
        ("/q/x", &[FORM], "", (400, NOT_JSON)),
        ("/q/x?value=+", &[], "", (400, NOT_JSON)),
        ("/q/x", &[], "value=v", (400, NOT_JSON)),
        ("/q/x", &[TEXT], "value=v", (400, NOT_JSON)),
        ("/q/", &[FORM], "value=v", (404, NO_NAME)),
        ("/q?value=v", &[], "", (404, NO_NAME)),
        ("/control/", &[FORM], "status=stop", (404, NO_NAME)),
        ("/qb/x", &[FORM], "value=v", (400, NOT_JSON)),
        ("/qb/x?value=v", &[FORM], "{\"jobs\":[1]}", stored),
    ];
    for (target, headers, body, expected) in cases {
        let answer = client.send("POST", target, headers, body.to_owned()).await;
        assert_eq!(answer.brief(), expected, "{target} {headers:?} {body}");
    }
    let answer = client.send("POST", "/q/x?value=v", &[TEXT], "v").await;
    assert_eq!(answer.brief(), (400, &*refusal("400: Bad Request")));
    assert_eq!(
        client.form("/q/%FF", "value=v").await.brief(),
        (400, &*refusal("400: Bad Request"))
    );
    assert_eq!(
        client.form("/q/%FF", "other=v").await.text(),
        "{\"error\":\"queue name is invalid\"}"
    );
    let failed = client.send("PUT", "/q/x", &[FORM], "value=v").await;
    assert_eq!(failed.brief(), (400, NOT_JSON));
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_as_presque_has_it() {
    let redis = Redis::start();
    let context = context(redis.store().await, 1000);
    let too_large = (413, "{\"error\":\"job is too large\"}".to_owned());
    let json = format!("\"{}\"", "a".repeat(1000));
    let huge = format!("value={}", "a".repeat(85_000));
    let cases = [(JSON, &json), (FORM, &json), (FORM, &huge)];
    let length = |body: &str| ("content-length", body.len().to_string());
    for (media, body) in cases {
        let (name, length) = length(body);
        for headers in [&[media][..], &[media, (name, &length)]] {
            let answer =
                legacy_routes::queue(request("POST", "/q/x", headers, body), &context, &Access::default()).await;
            assert_eq!(brief(answer).await, too_large, "{headers:?} {body:.20}");
        }
    }
    let answer = legacy_routes::queue(request("POST", "/q/x", &[PARTS], &huge), &context, &Access::default()).await;
    assert_eq!(brief(answer).await, (400, NOT_JSON.into()));
    let message = format!("value={}", "a".repeat(999));
    let answer = legacy_routes::queue(request("POST", "/q/x", &[FORM], &message), &context, &Access::default()).await;
    assert_eq!(brief(answer).await, (413, refusal("413: Payload Too Large")));
    let answer = legacy_routes::control(
        request("POST", "/control/x", &[FORM], &huge),
        &context,
        &Access::default(),
    )
    .await;
    assert_eq!(
        brief(answer).await,
        (413, "{\"error\":\"content is too large\"}".into())
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused_as_presque_has_it() {
    let redis = Redis::start();
    let context = context(redis.store().await, 1000);
    let broken = || {
        let chunks = [
            Ok(Frame::data(Bytes::from("value=v"))),
            Err(std::io::Error::other("gone")),
        ];
        let request = Request::builder().method("POST").uri("/q/x").header(FORM.0, FORM.1);
        request.body(StreamBody::new(stream::iter(chunks))).unwrap()
    };
    let answer = legacy_routes::queue(broken(), &context, &Access::default()).await;
    assert_eq!(brief(answer).await, (400, "{\"error\":\"job is incomplete\"}".into()));
    let mut order = broken();
    *order.uri_mut() = "/control/x".parse().unwrap();
    assert_eq!(
        brief(legacy_routes::control(order, &context, &Access::default()).await)
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn what_cannot_be_a_form_is_not_read_to_find_out_whose_it_is() {
    let redis = Redis::start();
    let context = context(redis.store().await, 1000);
    let never = |method: &str, target: &str, media: &str| {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("content-type", media);
        let body = StreamBody::new(stream::pending::<Result<Frame<Bytes>, std::io::Error>>());
        request.body(body).unwrap()
    };
    for (method, target, media, status) in [
        ("GET", "/q/x", FORM.1, 404),
        ("GET", "/q/x?callback=cb", FORM.1, 204),
        ("POST", "/q/x", TEXT.1, 400),
        ("DELETE", "/q/x", FORM.1, 204),
    ] {
        let answer = legacy_routes::queue(never(method, target, media), &context, &Access::default()).await;
        assert_eq!(answer.status().as_u16(), status, "{method} {target}");
    }
    assert_eq!(
        legacy_routes::control(never("GET", "/control/x", FORM.1), &context, &Access::default())
            .await
            .status(),
        200
    );
    assert_eq!(
        legacy_routes::index(never("GET", "/?queue=x", FORM.1), &context, &Access::default(), &[])
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn a_get_is_presques_unless_it_names_a_callback() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for _ in 0..3 {
        client.form("/q/x", "value=v").await;
    }
    for (target, expected) in [
        ("/q/x", "\"v\""),
        ("/q/x?callback=", "\"v\""),
        (
            "/q/x?callback=cb",
            "cb({\"count\": 0, \"key\": \"x:3\", \"value\": \"v\"});\r\n",
        ),
        ("/q/x?callback=cb", ""),
        ("/q/x", "{\"error\":\"no job\"}"),
        ("/qb/x?callback=cb", "{\"error\":\"no job\"}"),
        ("/control/x", "{\"queue\":\"x\",\"status\":\"1\"}"),
        (
            "/control/x?callback=cb",
            "{\"queue\": \"x\", \"status\": {\"queue\": \"x\", \"status\": 1}, \"redis\": \"connected\"}\r\n",
        ),
        (
            "/j/x",
            "{\"queue_name\":\"x\",\"job_count\":0,\"job_failed\":0,\"job_processed\":\"3\"}",
        ),
        ("/status/x?callback=cb", "{\"queue\":\"x\",\"size\":\"0\"}"),
    ] {
        assert_eq!(client.get(target).await.text(), expected, "{target}");
    }
    assert!(
        client
            .get("/j/x?callback=cb")
            .await
            .text()
            .starts_with("<!DOCTYPE html>")
    );
    assert_eq!(client.send("HEAD", "/q/x?callback=cb", &[], "").await.status, 405);
}

#[tokio::test]
async fn an_order_is_of_the_dialect_that_its_body_says() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let updated = "{\"queue\":\"x\",\"response\":\"updated\"}";
    let parts = "--B\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nstart\r\n--B--\r\n";
    let cases: [(Headers, &str, &str); 8] = [
        (
            &[FORM],
            "status=stop",
            "{\"stat\": {\"queue\": \"x\", \"status\": 0}}\r\n",
        ),
        (
            &[FORM],
            "status=start&callback=cb",
            "cb({\"stat\": {\"queue\": \"x\", \"status\": 1}})\r\n",
        ),
        (&[PARTS], parts, "{\"stat\": {\"queue\": \"x\", \"status\": 1}}\r\n"),
        (&[FORM], "{\"status\":\"stop\"}", updated),
        (&[], "{\"status\":\"start\"}", updated),
        (&[JSON], "{\"status\":\"stop\"}", updated),
        (&[FORM], "status=", "{\"error\":\"content is not valid JSON\"}"),
        (&[FORM], "", "{\"error\":\"content is missing\"}"),
    ];
    for (headers, body, expected) in cases {
        let answer = client.send("POST", "/control/x", headers, body.to_owned()).await;
        assert_eq!(answer.text(), expected, "{headers:?} {body}");
    }
    assert_sound(&redis).await;
}

#[tokio::test]
async fn the_root_takes_and_gives_messages_beside_the_page() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    assert_eq!(client.form("/", "queue=%3Cx%3E&value=v").await.text(), "<x>:1\r\n");
    assert_eq!(
        client.get("/?queue=%3Cx%3E").await.text(),
        "{\"count\": 0, \"key\": \"<x>:1\", \"value\": \"v\"}\r\n"
    );
    assert_eq!(
        client.get("/?queue=x").await.brief(),
        (404, &*refusal("404: Not Found"))
    );
    let methods = Some("GET, HEAD, OPTIONS, POST");
    for (method, status) in [("OPTIONS", 204), ("PUT", 405), ("DELETE", 405), ("PATCH", 405)] {
        let answer = client.send(method, "/", &[], "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (status, methods),
            "{method}"
        );
    }
}
