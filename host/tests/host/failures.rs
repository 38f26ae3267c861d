//! Components that fail.

use super::support::{Answer, Body, Client, Host, KEEP, PLAIN, Site, hold, instance, patiently};
use http_body_util::BodyExt;

async fn start() -> (Host, Client) {
    let host = Site::new(PLAIN).start(&KEEP).await;
    let client = host.client();
    (host, client)
}

fn is_bare_500(answer: &Answer) -> bool {
    answer.status == 500 && answer.body.is_empty()
}

#[tokio::test]
async fn a_trap_ends_its_instance_and_the_next_request_has_a_fresh_one() {
    let (mut host, client) = start().await;
    let (first, _) = instance(&client).await;
    assert!(is_bare_500(&client.get("/panic").await));
    let (second, count) = instance(&client).await;
    assert_ne!(first, second);
    assert_eq!(count, 1);
    host.log_line(&["ERROR", "component=\"guest\"", "an instance ended"])
        .await;
    host.log_line(&["path=\"/panic\"", "status=500"]).await;
    host.log_line(&["as asked"]).await;
}

#[tokio::test]
async fn a_trap_fails_all_requests_under_way_in_its_instance() {
    let (mut host, client) = start().await;
    let (_open, held) = hold(&host);
    host.log_line(&["held"]).await;
    assert!(is_bare_500(&client.get("/panic").await));
    let held = patiently("the request that was held", held).await.unwrap();
    assert!(is_bare_500(&held), "{held:?}");
}

#[tokio::test]
async fn a_trap_ends_streams_of_its_instance_as_if_they_were_complete() {
    let (host, client) = start().await;
    let other = host.client();
    let mut stream = other
        .open("GET", "/ticks", &[], Body::default())
        .await
        .unwrap()
        .into_body();
    patiently("a tick", stream.frame()).await.unwrap().unwrap();
    assert!(is_bare_500(&client.get("/panic").await));
    let rest = patiently("the end of the ticks", stream.collect()).await;
    let rest = rest.expect("ended well").to_bytes();
    assert!(rest.chunks(5).all(|tick| tick == b"tick\n"), "{rest:?}");
}

#[tokio::test]
async fn an_error_of_the_handler_is_an_error_of_its_request_only() {
    let (mut host, client) = start().await;
    let (open, held) = hold(&host);
    host.log_line(&["held"]).await;
    assert!(is_bare_500(&client.get("/error").await));
    drop(open);
    let held = patiently("the request that was held", held).await.unwrap();
    let (id, count) = instance(&client).await;
    assert_eq!((held.status.as_u16(), held.text()), (200, &*id));
    assert_eq!(count, 3);
    host.log_line(&["ERROR", "component=\"guest\"", "as asked"]).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_its_answer_is_not_noticed() {
    let (mut host, client) = start().await;
    let leaving = host.client();
    let request = tokio::spawn(async move { leaving.open("GET", "/wait?300", &[], Body::default()).await });
    host.log_line(&["waiting"]).await;
    request.abort();
    host.log_line(&["waited"]).await;
    drop(client);
}
