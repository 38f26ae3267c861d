//! Streams that end because they may not go on for longer, and readers that come back.

use super::{post_all, read, readers_of};
use crate::support::{Host, HostOptions, Listener, Redis, assert_sound, until};

const EVENTS: (&str, &str) = ("Accept", "text/event-stream");

/// A host on which a stream lasts two seconds.
fn limited(redis: &Redis) -> Host {
    Host::start(HostOptions {
        redis_url: Some(redis.url()),
        manifest: Some("restmq.toml"),
        args: &["--variable", "max_wait_seconds=2"],
        ..HostOptions::default()
    })
}

fn event(number: usize) -> String {
    let key = number + 1;
    format!("id: x:{key}\ndata: {{\"key\": \"x:{key}\", \"value\": \"{number}\"}}\n\n")
}

#[tokio::test]
async fn an_event_stream_that_may_not_go_on_ends_with_the_id_with_which_its_reader_misses_nothing() {
    let redis = Redis::start();
    let (host, other) = (limited(&redis), Host::restmq_on(&redis));
    let open = async |last: &str| Listener::open(&host, "/c/x", &[EVENTS, ("Last-Event-ID", last)]).await;
    // Nothing was sent to anybody yet.
    let mut first = open("").await;
    assert_eq!(first.chunks(1).await, ["id: x:0\n\n"]);
    assert_eq!(first.chunk().await, None);

    let mut stays = Listener::open(&other, "/c/x", &[]).await;
    let away = async || until("it is away", async || readers_of(&redis).await == 1).await;
    away().await;
    post_all(&other, 0..1).await;
    assert_eq!(read(&mut stays, 1).await, [0]);
    let mut again = open("x:0").await;
    assert_eq!(again.chunks(2).await, [event(0), "id: x:1\n\n".to_owned()]);
    assert_eq!(again.chunk().await, None);

    // A reader that came later, and is sent nothing until it ends, begins where it came.
    let mut late = open("").await;
    assert_eq!(late.chunks(1).await, ["id: x:1\n\n"]);
    assert_eq!(late.chunk().await, None);
    away().await;
    post_all(&other, 1..3).await;
    assert_eq!(read(&mut stays, 2).await, [1, 2]);
    let mut again = open("x:1").await;
    assert_eq!(again.chunks(3).await, [event(1), event(2), "id: x:3\n\n".to_owned()]);
    assert_eq!(again.chunk().await, None);
}

#[tokio::test]
async fn a_stream_of_lines_that_may_not_go_on_ends_without_null_and_leaves_what_comes_later_in_the_queue() {
    let redis = Redis::start();
    let host = limited(&redis);
    let mut reader = Listener::open(&host, "/c/x", &[]).await;
    post_all(&host, 0..1).await;
    assert_eq!(read(&mut reader, 1).await, [0]);
    assert_eq!(reader.chunk().await, None);
    until("it is away", async || readers_of(&redis).await == 0).await;
    post_all(&host, 1..3).await;
    let mut again = Listener::open(&host, "/c/x", &[]).await;
    assert_eq!(read(&mut again, 2).await, [1, 2]);
    assert_eq!(again.chunk().await, None);
    assert_sound(&redis).await;
}
