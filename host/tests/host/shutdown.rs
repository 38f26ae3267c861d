//! How the command ends.

use super::support::{Body, Host, PLAIN, Site, patiently, piecewise};
use http_body_util::BodyExt;
use rustix::process::Signal;
use tokio::net::TcpStream;

/// Tells the host to stop, and waits until it takes no new connections.
async fn stop(host: &mut Host, signal: Signal) {
    host.signal(signal);
    host.log_line(&["INFO", "stopping: waiting for requests under way"])
        .await;
    assert!(TcpStream::connect(host.address()).await.is_err(), "it still listens");
}

async fn finishes_what_has_begun(signal: Signal) {
    let mut host = Site::new(PLAIN).start(&[]).await;
    let client = host.client();
    let request = tokio::spawn(async move { client.get("/wait?300").await });
    host.log_line(&["waiting"]).await;
    stop(&mut host, signal).await;
    let answer = patiently("an answer", request).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "waited"));
    assert_eq!(host.ended().await.code(), Some(0));
    assert!(!host.log().contains("cut off"), "{}", host.log());
}

#[tokio::test]
async fn a_request_under_way_finishes_after_sigterm() {
    finishes_what_has_begun(Signal::TERM).await;
}

#[tokio::test]
async fn a_request_under_way_finishes_after_sigint() {
    finishes_what_has_begun(Signal::INT).await;
}

#[tokio::test]
async fn a_stream_under_way_goes_on_to_its_end() {
    let mut host = Site::new(PLAIN).start(&[]).await;
    let (pieces, body) = piecewise();
    let client = host.client();
    let echo = client.open("POST", "/echo", &[], body).await.unwrap();
    stop(&mut host, Signal::TERM).await;
    pieces.send("late").unwrap();
    drop(pieces);
    let echo = patiently("the echo", echo.into_body().collect()).await.unwrap();
    assert_eq!(echo.to_bytes(), "late");
    assert_eq!(host.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_stream_that_only_its_reader_would_end_is_broken_off() {
    let mut host = Site::new(PLAIN).start(&["--shutdown-timeout", "600s"]).await;
    let client = host.client();
    let ticks = client.open("GET", "/ticks", &[], Body::default()).await.unwrap();
    stop(&mut host, Signal::TERM).await;
    let ticks = patiently("the end of the ticks", ticks.into_body().collect()).await;
    assert!(ticks.is_err(), "it seems to be complete");
    assert_eq!(host.ended().await.code(), Some(0));
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let mut host = Site::new(PLAIN).start(&["--shutdown-timeout", "600s"]).await;
    let client = host.client();
    client.get("/instance").await;
    stop(&mut host, Signal::TERM).await;
    assert_eq!(host.ended().await.code(), Some(0));
    assert!(client.open("GET", "/instance", &[], Body::default()).await.is_err());
}

#[tokio::test]
async fn a_request_without_an_end_is_cut_off() {
    let mut host = Site::new(PLAIN).start(&["--shutdown-timeout", "100ms"]).await;
    let client = host.client();
    let request = tokio::spawn(async move { client.open("GET", "/wait?600000", &[], Body::default()).await.is_err() });
    host.log_line(&["waiting"]).await;
    stop(&mut host, Signal::TERM).await;
    host.log_line(&["WARN", "requests were still under way after 100ms: they were cut off"])
        .await;
    assert_eq!(host.ended().await.code(), Some(0));
    assert!(patiently("the end of the request", request).await.unwrap());
}

#[tokio::test]
async fn a_second_signal_ends_the_command_at_once() {
    let mut host = Site::new(PLAIN).start(&["--shutdown-timeout", "600s"]).await;
    let client = host.client();
    let request = tokio::spawn(async move { client.open("GET", "/wait?600000", &[], Body::default()).await.is_err() });
    host.log_line(&["waiting"]).await;
    stop(&mut host, Signal::TERM).await;
    host.signal(Signal::INT);
    assert_eq!(host.ended().await.code(), Some(130));
    assert!(patiently("the end of the request", request).await.unwrap());
}
