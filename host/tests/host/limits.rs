//! Requests and responses that HTTP or the platform does not allow.

use super::support::{PLAIN, Site};

fn request(path: &str, headers: impl AsRef<[u8]>) -> Vec<u8> {
    let mut request = format!("GET {path} HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n").into_bytes();
    request.extend(headers.as_ref());
    request.extend(b"\r\n");
    request
}

fn status(answer: &str) -> &str {
    answer
        .get("HTTP/1.1 ".len()..)
        .and_then(|rest| rest.get(..3))
        .unwrap_or(answer)
}

#[tokio::test]
async fn a_header_that_is_not_utf8_is_an_error_of_its_request_only() {
    let mut host = Site::new(PLAIN).start(&[]).await;
    let bad = b"GET /a HTTP/1.1\r\nhost: h\r\nx: \xff\r\n\r\nGET /b HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    let answers = host.raw(bad).await;
    assert_eq!(status(&answers), "500");
    assert!(answers.contains("HTTP/1.1 200 OK\r\n"), "{answers}");
    host.log_line(&["WARN", "the request header x is not UTF-8"]).await;
    let good = host.raw(request("/", "x: \u{e9}\r\n")).await;
    assert_eq!(status(&good), "200");
    assert!(good.contains(r"x: \xc3\xa9"), "{good}");
}

#[tokio::test]
async fn a_uri_may_have_64_kb() {
    let host = Site::new(PLAIN).start(&[]).await;
    let path = format!("/{}", "a".repeat(65_500));
    assert_eq!(status(&host.raw(request(&path, "")).await), "200");
    let path = format!("/{}", "a".repeat(65_600));
    assert_eq!(status(&host.raw(request(&path, "")).await), "414");
}

#[tokio::test]
async fn a_request_may_have_100_headers() {
    let host = Site::new(PLAIN).start(&[]).await;
    // Two are there already.
    assert_eq!(status(&host.raw(request("/", "x: y\r\n".repeat(98))).await), "200");
    assert_eq!(status(&host.raw(request("/", "x: y\r\n".repeat(99))).await), "431");
}

#[tokio::test]
async fn the_headers_of_a_request_may_have_some_hundred_kilobytes() {
    let host = Site::new(PLAIN).start(&[]).await;
    let header = format!("x: {}\r\n", "y".repeat(300_000));
    assert_eq!(status(&host.raw(request("/", header)).await), "200");
    // A head that is complete could be read at once, and would be fine then.
    let head = format!("GET / HTTP/1.1\r\nhost: h\r\nx: {}", "y".repeat(450_000));
    assert_eq!(status(&host.raw(head).await), "431");
}

#[tokio::test]
async fn headers_that_belong_to_the_connection_make_an_answer_an_error() {
    let host = Site::new(PLAIN).start(&[]).await;
    let client = host.client();
    for header in [
        "connection=close",
        "upgrade=h2c",
        "host=h",
        "keep-alive=5",
        "transfer-encoding=gzip",
    ] {
        let answer = client.get(&format!("/header?{header}")).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (500, ""), "{header}");
    }
    let answer = client.get("/header?x-own=1").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "hello"));
    assert_eq!(answer.headers["x-own"], "1");
}

#[tokio::test]
async fn an_answer_is_sent_in_chunks_unless_its_component_tells_its_length() {
    let host = Site::new(PLAIN).start(&[]).await;
    let client = host.client();
    let answer = client.get("/header?x-own=1").await;
    assert_eq!(answer.headers["transfer-encoding"], "chunked");
    let answer = client.get("/header?content-length=5").await;
    assert_eq!(
        (&answer.headers["content-length"], answer.text()),
        (&"5".parse().unwrap(), "hello")
    );
    assert!(!answer.headers.contains_key("transfer-encoding"));
}

#[tokio::test]
async fn an_answer_to_head_has_no_body() {
    let host = Site::new(PLAIN).start(&[]).await;
    let head = "HEAD /header?content-length=5 HTTP/1.1\r\nhost: h\r\n\r\n";
    let answers = host
        .raw([head.as_bytes(), &request("/header?x-own=1", "")].concat())
        .await;
    let (first, next) = answers.split_once("\r\n\r\n").unwrap();
    assert!(first.contains("content-length: 5"), "{first}");
    assert_eq!(status(next), "200", "the next response follows at once: {answers}");
    assert!(next.contains("hello"), "{next}");
}

#[tokio::test]
async fn a_connection_outlives_a_response_that_is_an_error() {
    let host = Site::new(PLAIN).start(&[]).await;
    for path in ["/header?connection=close", "/panic", "/error"] {
        let failing = format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n");
        let answers = host.raw([failing.as_bytes(), &request("/", "")].concat()).await;
        let (first, next) = answers.split_once("\r\n\r\n").unwrap();
        assert_eq!((status(first), status(next)), ("500", "200"), "{path}: {answers}");
    }
}
