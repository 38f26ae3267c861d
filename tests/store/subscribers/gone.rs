//! What becomes of the deliveries of subscribers that are gone, or seem to be.

use super::{drain, insert_all, jobs, join, look, round_robin, texts};
use crate::store::work::{Work, seconds};
use crate::support::assert_sound;
use presque::queue::Settings;

#[tokio::test]
async fn what_a_reader_was_not_sent_goes_to_the_others_when_it_goes() {
    let work = Work::start().await;
    round_robin(&work).await;
    let mut subscribers = [join(&work).await, join(&work).await];
    insert_all(&work, 0..10).await;
    for subscriber in &mut subscribers {
        subscriber.poll(&work).await;
    }
    let [mut stays, mut goes] = subscribers;
    let unsent = goes.sent_ids.split_off(2);
    work.store.unsubscribe(&goes.subscriber, &goes.sent_ids).await.unwrap();
    assert_eq!(unsent.len(), 3);
    let mut subscribers = [stays];
    drain(&work, &mut subscribers).await;
    [stays] = subscribers;
    assert_eq!(stays.got, ["0", "2", "4", "6", "8", "5", "7", "9"]);
    assert_eq!(jobs(&work).await, 0);
    assert_sound(&work.redis).await;
}

#[tokio::test]
async fn a_reader_that_vanishes_is_forgotten_and_what_it_was_not_sent_goes_to_the_others() {
    for in_turn in [true, false] {
        let mut work = Work::start().await;
        if in_turn {
            round_robin(&work).await;
        }
        let [mut stays, mut vanishes] = [join(&work).await, join(&work).await];
        insert_all(&work, 0..4).await;
        vanishes.poll(&work).await;
        stays.poll(&work).await;
        for _ in 0..3 {
            work.pass(seconds(5)).await;
            stays.poll(&work).await;
        }
        insert_all(&work, 4..6).await;
        let mut subscribers = [stays];
        drain(&work, &mut subscribers).await;
        let expected: &[&str] = if in_turn {
            &["0", "2", "1", "3", "4", "5"]
        } else {
            &["0", "1", "2", "3", "4", "5"]
        };
        assert_eq!(subscribers[0].got, expected);
        assert_eq!(jobs(&work).await, 0);
        assert_sound(&work.redis).await;
    }
}

#[tokio::test]
async fn when_all_readers_are_gone_their_jobs_are_there_for_workers_again() {
    let mut work = Work::start().await;
    let mut subscriber = join(&work).await;
    insert_all(&work, 0..2).await;
    subscriber.poll(&work).await;
    assert_eq!(jobs(&work).await, 2);
    assert!(work.try_claim().await.is_none());
    work.pass(seconds(21)).await;
    assert_eq!(work.claim_many(2).await.len(), 2);
    assert_sound(&work.redis).await;
    // By its time, which is not that of the test's clock.
    work.redis.run("DEL presque:{q}:subscribers").await;
    // One that says good-bye gives them back at once.
    let mut subscriber = join(&work).await;
    work.plain("2").await;
    subscriber.poll(&work).await;
    work.store.unsubscribe(&subscriber.subscriber, &[]).await.unwrap();
    assert_eq!(work.claim_many(2).await.len(), 1);
}

#[tokio::test]
async fn a_job_that_reached_a_reader_is_not_sent_again_when_the_others_vanish() {
    let mut work = Work::start().await;
    let [mut first, mut second] = [join(&work).await, join(&work).await];
    work.plain("1").await;
    first.poll(&work).await;
    first.poll(&work).await;
    second.poll(&work).await;
    work.store.unsubscribe(&first.subscriber, &[]).await.unwrap();
    work.pass(seconds(30)).await;
    assert!(work.claim_many(1).await.is_empty());
    let described = work.store.describe(&work.queue).await.unwrap().unwrap();
    assert_eq!((described.totals.done, described.totals.lost_leases), (1, 0));
    assert_eq!(jobs(&work).await, 0);
}

#[tokio::test]
async fn a_slow_reader_keeps_what_it_has_for_as_long_as_it_is_there() {
    let mut work = Work::start().await;
    let mut subscriber = join(&work).await;
    work.plain("1").await;
    subscriber.poll(&work).await;
    for _ in 0..10 {
        work.pass(seconds(5)).await;
        assert_eq!(look(&work, &subscriber.subscriber, &[]).await.len(), 1);
    }
    assert!(work.claim_many(1).await.is_empty());
}

#[tokio::test]
async fn readers_that_could_not_reach_the_store_are_not_taken_for_gone_however_many() {
    for in_turn in [true, false] {
        let mut work = Work::start().await;
        if in_turn {
            round_robin(&work).await;
        }
        let mut subscribers = Vec::new();
        for _ in 0..30 {
            subscribers.push(join(&work).await);
        }
        insert_all(&work, 0..30).await;
        for subscriber in &mut subscribers {
            subscriber.poll(&work).await;
        }
        // Nobody looks for so long, as when the store is away.
        work.pass(seconds(15)).await;
        drain(&work, &mut subscribers).await;
        for (place, subscriber) in subscribers.iter().enumerate() {
            let expected = if in_turn { texts(place..place + 1) } else { texts(0..30) };
            assert_eq!(subscriber.got, expected);
        }
        assert_eq!(jobs(&work).await, 0);
    }
}

#[tokio::test]
async fn a_delivery_whose_lease_ends_is_no_lost_lease_of_the_job() {
    let mut work = Work::start().await;
    work.configure(Settings {
        max_lost_leases: Some(1),
        ..Settings::default()
    })
    .await;
    let mut subscriber = join(&work).await;
    work.plain("1").await;
    subscriber.poll(&work).await;
    work.pass(seconds(21)).await;
    assert_eq!(work.claim_many(1).await[0].lost_leases, 0);
}

#[tokio::test]
async fn what_crashed_subscribers_left_goes_when_the_next_one_comes() {
    let mut work = Work::start().await;
    let mut crashed = join(&work).await;
    insert_all(&work, 0..5).await;
    crashed.poll(&work).await;
    work.pass(seconds(30)).await;
    // By its time, which is not that of the test's clock.
    work.redis.run("DEL presque:{q}:subscribers").await;
    let mut subscriber = join(&work).await;
    drain(&work, std::slice::from_mut(&mut subscriber)).await;
    assert_eq!(subscriber.got, texts(0..5));
    assert_eq!(
        work.redis.run("EXISTS presque:{q}:deliveries").await,
        redis::Value::Int(0)
    );
}
