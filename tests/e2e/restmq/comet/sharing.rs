//! How readers share messages, and what becomes of those of a reader that is gone.

use super::{post_all, read, read_until, readers_of, set_policy, three_readers};
use crate::support::{Host, HostOptions, Listener, Redis, assert_sound, eventually};
use rustix::process::Signal;
use std::collections::BTreeSet;

#[tokio::test]
async fn three_readers_on_two_hosts_each_get_all_of_a_thousand_messages_in_order() {
    let redis = Redis::start();
    let (one, two) = (Host::restmq_on(&redis), Host::restmq_on(&redis));
    let mut readers = three_readers(&one, &two).await;
    let posting = post_all(&one, 0..1000);
    let [a, b, c] = &mut readers;
    let reading = async { tokio::join!(read_until(a, 999), read_until(b, 999), read_until(c, 999)) };
    let ((a, b, c), ()) = tokio::join!(reading, posting);
    for got in [a, b, c] {
        assert_eq!(got, (0..1000).collect::<Vec<_>>());
    }
    // Nothing is left, neither in the queue nor for a subscriber.
    eventually("all is done", async || {
        let left: i64 =
            redis::from_owned_redis_value(redis.run("EXISTS presque:{x}:jobs presque:{x}:deliveries").await).unwrap();
        (left == 0).then_some(())
    })
    .await;
    assert_sound(&redis).await;
}

/// What came over all three, as sets must come: none lost, none doubled.
fn assert_all(got: [&[usize]; 3], numbers: std::ops::Range<usize>) {
    let all: BTreeSet<usize> = got.iter().copied().flatten().copied().collect();
    let count: usize = got.iter().map(|numbers| numbers.len()).sum();
    assert_eq!(count, all.len(), "some came twice");
    assert!(all.into_iter().eq(numbers), "some did not come");
}

fn assert_even(counts: &[usize]) {
    let (most, least) = (counts.iter().max().unwrap(), counts.iter().min().unwrap());
    assert!(most - least <= 1, "{counts:?}");
}

#[tokio::test]
async fn three_readers_on_two_hosts_share_a_thousand_messages_evenly_in_turn() {
    let redis = Redis::start();
    let (one, two) = (Host::restmq_on(&redis), Host::restmq_on(&redis));
    set_policy(&one, "roundrobin").await;
    let mut readers = three_readers(&one, &two).await;
    let [a, b, c] = &mut readers;
    let posting = post_all(&two, 0..1000);
    // In turn, in the order in which they came: the first gets one more.
    let reading = async { tokio::join!(read(a, 334), read(b, 333), read(c, 333)) };
    let ((a, b, c), ()) = tokio::join!(reading, posting);
    assert_all([&a, &b, &c], 0..1000);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn when_a_reader_is_cut_off_the_others_share_what_comes_and_none_is_lost_or_doubled() {
    let redis = Redis::start();
    let (one, two) = (Host::restmq_on(&redis), Host::restmq_on(&redis));
    set_policy(&one, "roundrobin").await;
    let [mut a, mut b, mut c] = three_readers(&one, &two).await;
    post_all(&one, 0..500).await;
    let (mut first, second, mut third) = tokio::join!(read(&mut a, 167), read(&mut b, 167), read(&mut c, 166));
    // Nobody says good-bye.
    drop(b);
    let posting = post_all(&one, 500..1000);
    let reading = async { tokio::join!(read(&mut a, 250), read(&mut c, 250)) };
    let ((first_later, third_later), ()) = tokio::join!(reading, posting);
    first.extend(first_later);
    third.extend(third_later);
    assert_all([&first, &second, &third], 0..1000);
    assert_even(&[first.len() - 167, third.len() - 166]);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_reader_whose_host_crashes_is_forgotten_within_seconds_and_its_messages_go_to_the_others() {
    let redis = Redis::start();
    let (one, two) = (Host::restmq_on(&redis), Host::restmq_on(&redis));
    set_policy(&one, "roundrobin").await;
    let mut stays = Listener::open(&one, "/c/x", &[]).await;
    let _vanishes = Listener::open(&two, "/c/x", &[]).await;
    two.kill();
    post_all(&one, 0..10).await;
    let mut got = read(&mut stays, 10).await;
    got.sort_unstable();
    assert_eq!(got, (0..10).collect::<Vec<_>>());
    assert_eq!(readers_of(&redis).await, 1);
}

#[tokio::test]
async fn when_a_host_is_asked_to_stop_its_streams_end_at_once_and_what_they_were_not_sent_goes_to_others() {
    let redis = Redis::start();
    let patient = |args| {
        Host::start(HostOptions {
            redis_url: Some(redis.url()),
            manifest: Some("restmq.toml"),
            args,
            ..HostOptions::default()
        })
    };
    let (mut one, two) = (patient(&["--shutdown-timeout", "600s"]), patient(&[]));
    let mut ends = Vec::new();
    for _ in 0..50 {
        ends.push(Listener::open(&one, "/c/x", &[]).await);
    }
    let mut stays = Listener::open(&two, "/c/x", &[]).await;
    set_policy(&two, "roundrobin").await;
    one.signal(Signal::TERM);
    for reader in &mut ends {
        assert_eq!(reader.chunk().await, None, "its proper end");
    }
    assert_eq!(one.ended().await.code(), Some(0));
    // They have said good-bye: nothing is kept back for them.
    assert_eq!(readers_of(&redis).await, 1);
    post_all(&two, 0..3).await;
    assert_eq!(read(&mut stays, 3).await, [0, 1, 2]);
    assert_sound(&redis).await;
}

/// An instance lives for as long as its last reader. Where readers share instances with other requests, each has soon one of
/// its own.
#[tokio::test]
async fn a_thousand_readers_who_come_amid_other_requests_do_not_hold_these_up() {
    let redis = Redis::start();
    // Few requests do with instances that take few what many do with the default, 128.
    let (others, reuse) = match std::env::var("PRESQUE_REQUESTS_PER_READER") {
        Ok(number) => (number.parse().unwrap(), "128"),
        Err(_) => (4, "3"),
    };
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--max-instance-reuse-count", reuse],
        ..HostOptions::default()
    });
    let client = host.client();
    let targets = [
        "/stats/x",
        "/p/x",
        "/control/x",
        "/v1/queues",
        "/",
        "/status/",
        "/j/x",
        "/w/",
        "/stats/x",
    ];
    let mut readers = Vec::new();
    for _ in 0..1000 {
        readers.push(Listener::open(&host, "/c/x", &[]).await);
        for target in targets.iter().cycle().take(others) {
            let answer = client.get(target).await;
            assert!(
                answer.status.as_u16() < 500,
                "{target} with {} readers: {answer:?}",
                readers.len()
            );
        }
    }
    post_all(&host, 0..1).await;
    for reader in &mut readers {
        assert_eq!(read(reader, 1).await, [0]);
    }
}

#[tokio::test]
async fn a_reader_that_goes_without_a_word_is_forgotten_even_when_nothing_comes() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let stays = Listener::open(&host, "/c/x", &[]).await;
    let goes = Listener::open(&host, "/c/x", &[]).await;
    assert_eq!(readers_of(&redis).await, 2);
    drop(goes);
    eventually("it is forgotten", async || {
        (readers_of(&redis).await == 1).then_some(())
    })
    .await;
    drop(stays);
    eventually("both are", async || (readers_of(&redis).await == 0).then_some(())).await;
}
