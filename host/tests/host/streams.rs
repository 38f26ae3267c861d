//! Bodies that go both ways, piece by piece.

use super::support::{Body, PLAIN, Site, patiently, piecewise};
use http_body_util::BodyExt;
use hyper::body::Incoming;

async fn next_piece(body: &mut Incoming) -> Option<String> {
    let frame = patiently("a piece of a body", body.frame()).await?;
    let data = frame.unwrap().into_data().unwrap();
    Some(String::from_utf8(data.into()).unwrap())
}

#[tokio::test]
async fn each_piece_comes_back_before_the_next_is_sent() {
    let host = Site::new(PLAIN).start(&[]).await;
    let (pieces, body) = piecewise();
    let client = host.client();
    let mut echo = client.open("POST", "/echo", &[], body).await.unwrap().into_body();
    for piece in ["one", "two", "three"] {
        pieces.send(piece).unwrap();
        assert_eq!(next_piece(&mut echo).await.as_deref(), Some(piece));
    }
    drop(pieces);
    assert_eq!(next_piece(&mut echo).await, None);
}

#[tokio::test]
async fn a_big_body_comes_back_as_it_was() {
    let host = Site::new(PLAIN).start(&[]).await;
    let mut body = String::new();
    while body.len() < 8 << 20 {
        body.push_str(&body.len().to_string());
    }
    let client = host.client();
    let echo = client.send("POST", "/echo", &[], body.clone()).await;
    assert!(
        echo.body == body.as_bytes(),
        "{} bytes instead of {}",
        echo.body.len(),
        body.len()
    );
}

#[tokio::test]
async fn a_component_notices_that_the_reader_of_its_stream_is_gone() {
    let mut host = Site::new(PLAIN).start(&[]).await;
    let client = host.client();
    let mut ticks = client
        .open("GET", "/ticks", &[], Body::default())
        .await
        .unwrap()
        .into_body();
    assert!(next_piece(&mut ticks).await.unwrap().starts_with("tick\n"));
    drop((client, ticks));
    host.log_line(&["the reader is gone"]).await;
}

#[tokio::test]
async fn a_component_can_ask_whether_the_reader_of_its_stream_is_there_without_sending_anything() {
    let mut host = Site::new(PLAIN).start(&[]).await;
    let client = host.client();
    let mut hello = client
        .open("GET", "/probe", &[], Body::default())
        .await
        .unwrap()
        .into_body();
    assert_eq!(next_piece(&mut hello).await.unwrap(), "hello\n");
    drop((client, hello));
    host.log_line(&["the reader is gone"]).await;
    host.log_line(&["and what follows was done"]).await;
}
