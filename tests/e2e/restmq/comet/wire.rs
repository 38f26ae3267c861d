//! What a reader is sent, and when.

use super::{FORM, post, post_all, read, readers_of, three_readers};
use crate::support::{Host, HostOptions, Listener, Proxy, Redis, assert_sound, eventually};
use std::time::{Duration, Instant};

const EVENTS: (&str, &str) = ("Accept", "text/event-stream");

#[tokio::test]
async fn deleting_a_queue_sends_every_reader_a_last_chunk_and_ends_it() {
    let redis = Redis::start();
    let (restmq, presque) = (Host::restmq_on(&redis), Host::on(&redis));
    let deletes = [(&restmq, "/q/x"), (&presque, "/q/x"), (&presque, "/v1/queues/x")];
    for (host, target) in deletes {
        let mut readers = three_readers(&restmq, &presque).await;
        let mut events = Listener::open(&presque, "/c/x", &[EVENTS]).await;
        let mut called = Listener::open(&presque, "/c/x?callback=cb", &[]).await;
        let answer = host.client().send("DELETE", target, &[], "").await;
        assert!(answer.status.is_success(), "{answer:?}");
        for reader in &mut readers {
            assert_eq!(reader.chunk().await.unwrap(), "null\r\n", "{target}");
            assert_eq!(reader.chunk().await, None);
        }
        assert_eq!(events.chunk().await.unwrap(), "data: null\n\n");
        assert_eq!(events.chunk().await, None);
        assert_eq!(called.chunk().await.unwrap(), "cb(null);\r\n");
    }
}

#[tokio::test]
async fn a_backlog_drains_at_once_and_what_comes_by_any_route_follows() {
    let redis = Redis::start();
    let (restmq, presque) = (Host::restmq_on(&redis), Host::on(&redis));
    for number in 0..250 {
        presque.client().insert("/q/x", number.to_string()).await;
    }
    let mut reader = Listener::open(&restmq, "/c/x", &[]).await;
    assert!(reader.head[0].starts_with("http/1.1 200"));
    assert!(reader.head.contains(&"content-type: text/plain".to_owned()));
    assert_eq!(read(&mut reader, 250).await, (0..250).collect::<Vec<_>>());
    presque.client().post("/qb/x", r#"{"jobs":[250,251]}"#).await;
    assert_eq!(read(&mut reader, 2).await, [250, 251]);
    presque.client().post("/v1/queues/x/jobs", r#"{"payload":252}"#).await;
    assert_eq!(read(&mut reader, 1).await, [252]);
    presque
        .client()
        .post("/v1/queues/x/jobs", r#"{"payload":253,"delay":0.2}"#)
        .await;
    assert_eq!(
        reader.chunk().await.unwrap(),
        "{\"key\": \"x:254\", \"value\": \"253\"}\r\n"
    );
}

#[tokio::test]
async fn a_stopped_queue_holds_messages_back_from_its_readers_alone() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let mut reader = Listener::open(&host, "/c/x", &[]).await;
    let client = host.client();
    client.send("POST", "/control/x", &[FORM], "status=stop").await;
    post_all(&host, 0..2).await;
    assert_eq!(
        client.get("/q/x").await.text(),
        "{\"count\": 0, \"key\": \"x:1\", \"value\": \"0\"}\r\n"
    );
    client.send("POST", "/control/x", &[FORM], "status=start").await;
    assert_eq!(read(&mut reader, 1).await, [1]);
}

#[tokio::test]
async fn a_message_is_one_chunk_whatever_its_size_and_a_callback_is_called_with_it() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let mut plain = Listener::open(&host, "/c/x", &[]).await;
    let mut called = Listener::open(&host, "/c/x?callback=a.b%5B0%5D", &[]).await;
    let large = "é</".repeat(700_000);
    post(&host, "x", &large).await;
    let chunk = plain.chunk().await.unwrap();
    assert!(chunk.starts_with("{\"key\": \"x:1\", \"value\": \"\\u00e9<\\/\\u00e9") && chunk.ends_with("<\\/\"}\r\n"));
    assert_eq!(chunk.len(), 29 + 700_000 * 9);
    let chunk = called.chunk().await.unwrap();
    assert!(chunk.starts_with("a.b[0]({\"key\": ") && chunk.ends_with("\"});\r\n"));
}

#[tokio::test]
async fn an_event_stream_goes_on_where_it_was_cut_off() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let mut stays = Listener::open(&host, "/c/x", &[]).await;
    let mut cut = Listener::open(&host, "/c/x", &[EVENTS]).await;
    assert!(cut.head.contains(&"content-type: text/event-stream".to_owned()));
    post_all(&host, 0..2).await;
    let event = |n: usize| {
        format!(
            "id: x:{}\ndata: {{\"key\": \"x:{}\", \"value\": \"{n}\"}}\n\n",
            n + 1,
            n + 1
        )
    };
    assert_eq!(cut.chunks(2).await, [event(0), event(1)]);
    drop(cut);
    eventually("it is forgotten", async || {
        (readers_of(&redis).await == 1).then_some(())
    })
    .await;
    post_all(&host, 2..5).await;
    assert_eq!(read(&mut stays, 5).await, [0, 1, 2, 3, 4]);
    let mut again = Listener::open(&host, "/c/x", &[EVENTS, ("Last-Event-ID", "x:2")]).await;
    post_all(&host, 5..6).await;
    assert_eq!(again.chunks(4).await, [event(2), event(3), event(4), event(5)]);
    // An id of another queue, or none at all, is none.
    for id in ["y:2", "x:", "x:-1", "2", "x:99999999999999999999999"] {
        let mut new = Listener::open(&host, "/c/x", &[EVENTS, ("Last-Event-ID", id)]).await;
        post_all(&host, 6..7).await;
        assert!(new.chunk().await.unwrap().contains("\"value\": \"6\""), "{id}");
    }
}

#[tokio::test]
async fn a_message_comes_soon_after_its_post() {
    let redis = Redis::start();
    let (one, two) = (Host::restmq_on(&redis), Host::restmq_on(&redis));
    let mut reader = Listener::open(&one, "/c/x", &[]).await;
    let mut best = Duration::MAX;
    for number in 0..10 {
        let start = Instant::now();
        post_all(&two, number..number + 1).await;
        assert_eq!(read(&mut reader, 1).await, [number]);
        best = best.min(start.elapsed());
    }
    // Without a wake-up it would come seconds later. The best of some, since the machine may be busy.
    assert!(best < Duration::from_millis(100), "{best:?}");
}

#[tokio::test]
async fn an_idle_reader_costs_less_than_a_command_a_second_and_an_event_stream_shows_that_it_lives() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let mut reader = Listener::open(&host, "/c/x", &[EVENTS]).await;
    let asked = async || {
        let commands = redis.commands().await;
        ["evalsha", "eval", "blpop", "ping"]
            .iter()
            .filter_map(|name| commands.get(*name))
            .sum::<i64>()
    };
    let (before, start) = (asked().await, Instant::now());
    assert_eq!(reader.chunk().await.unwrap(), ":\n\n");
    let (commands, seconds) = (asked().await - before, start.elapsed().as_secs_f64());
    assert!(seconds < 16.0, "{seconds}");
    assert!(commands as f64 <= seconds, "{commands} commands in {seconds} s");
}

#[tokio::test]
async fn readers_go_on_when_their_connections_to_redis_break() {
    let redis = Redis::start();
    let proxy = Proxy::before(redis.server.port());
    let host = Host::start(HostOptions {
        redis_url: Some(proxy.url()),
        manifest: Some("restmq.toml"),
        ..HostOptions::default()
    });
    let other = Host::restmq_on(&redis);
    let mut reader = Listener::open(&host, "/c/x", &[]).await;
    for number in 0..3 {
        post_all(&other, number..number + 1).await;
        assert_eq!(read(&mut reader, 1).await, [number]);
        proxy.drop_connections();
    }
    // Some just fall silent, while the reader waits.
    eventually("the reader waits", async || {
        let text: String = redis::from_owned_redis_value(redis.run("INFO clients").await).unwrap();
        text.contains("blocked_clients:1\r").then_some(())
    })
    .await;
    proxy.silence_connections();
    post_all(&other, 3..4).await;
    assert_eq!(read(&mut reader, 1).await, [3]);
    assert_sound(&redis).await;
}
