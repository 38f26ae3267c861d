//! How readers share messages, and what becomes of those of a reader that is gone.

use super::{post_all, read, read_until, readers_of, set_policy, three_readers};
use crate::support::{Host, Listener, Redis, assert_sound, eventually};
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
