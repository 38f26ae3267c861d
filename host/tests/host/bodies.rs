//! Bodies of requests that are large, slow, or not wanted.

use super::support::{Host, KEEP, PLAIN, Site, patiently};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a head that announces so many bytes, and these.
async fn send(host: &Host, path: &str, announced: usize, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(host.address()).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {announced}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    stream
}

/// What comes up to the end of the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    patiently("an answer", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    answer
}

#[tokio::test]
async fn a_client_that_sends_a_body_which_nobody_wants_sees_its_answer_and_goes_on() {
    const BYTES: usize = 25 << 20;
    let host = Site::new(PLAIN).start(&[]).await;
    let mut stream = send(&host, "/header?x-own=1", BYTES, &vec![b'x'; BYTES]).await;
    let next = b"GET /instance HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    stream.write_all(next).await.unwrap();
    let answers = rest(stream).await;
    assert!(
        answers.contains("x-own: 1\r\n") && answers.contains("hello"),
        "{answers:?}"
    );
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{answers:?}");
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_408() {
    let mut host = Site::new(PLAIN).start(&["--request-body-timeout", "300ms"]).await;
    let answer = rest(send(&host, "/hold", 10, b"12345").await).await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer:?}");
    assert!(answer.contains("connection: close\r\n"), "{answer:?}");
    host.log_line(&[
        "WARN",
        "component=\"guest\"",
        "the body of a request did not come in time",
    ])
    .await;
    // A request may well take longer than its body.
    assert_eq!(
        host.client().send("POST", "/wait?600", &[], "whole").await.text(),
        "waited"
    );
}

#[tokio::test]
async fn large_bodies_wait_for_room_and_others_do_not() {
    const LARGE: usize = 64 << 20;
    let mut host = Site::new(PLAIN)
        .start(&[&KEEP[..], &["--request-body-timeout", "600s"]].concat())
        .await;
    let holders = [
        send(&host, "/hold", LARGE, b"").await,
        send(&host, "/hold", LARGE, b"").await,
    ];
    host.log_lines(&["held"], 2).await;
    let client = host.client();
    let waits = tokio::spawn(async move { client.send("POST", "/wait?1", &[], vec![b'x'; 17 << 10]).await });
    for _ in 0..20 {
        assert_eq!(host.get("/header?x-own=1").await.status, 200);
        let small = host
            .client()
            .send("POST", "/header?x-own=1", &[], vec![b'x'; 16 << 10])
            .await;
        assert_eq!(small.status, 200);
    }
    // One that is larger than any may be is refused at once, and does not wait for room either.
    let mut refused = send(&host, "/header?x-own=1", LARGE + 1, b"").await;
    let mut start = [0; 15];
    patiently("an answer", refused.read_exact(&mut start)).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    assert!(!host.log().contains("waiting"), "{}", host.log());
    drop(holders);
    assert_eq!(patiently("its turn", waits).await.unwrap().text(), "waited");
}
