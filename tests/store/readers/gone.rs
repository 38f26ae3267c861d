//! What becomes of the mail of readers that are gone, or seem to be.

use super::{drain, insert_all, jobs, join, look, round_robin, texts};
use crate::store::work::{Work, seconds};
use crate::support::assert_sound;
use presque::queue::Settings;

#[tokio::test]
async fn what_a_reader_was_not_sent_goes_to_the_others_when_it_goes() {
    let work = Work::start().await;
    round_robin(&work).await;
    let mut readers = [join(&work).await, join(&work).await];
    insert_all(&work, 0..10).await;
    for reader in &mut readers {
        reader.collect(&work).await;
    }
    let [mut stays, mut goes] = readers;
    let unsent = goes.entries.split_off(2);
    work.store.part(&goes.reader, &goes.entries).await.unwrap();
    assert_eq!(unsent.len(), 3);
    let mut readers = [stays];
    drain(&work, &mut readers).await;
    [stays] = readers;
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
        vanishes.collect(&work).await;
        stays.collect(&work).await;
        for _ in 0..3 {
            work.pass(seconds(5)).await;
            stays.collect(&work).await;
        }
        insert_all(&work, 4..6).await;
        let mut readers = [stays];
        drain(&work, &mut readers).await;
        let expected: &[&str] = if in_turn {
            &["0", "2", "1", "3", "4", "5"]
        } else {
            &["0", "1", "2", "3", "4", "5"]
        };
        assert_eq!(readers[0].got, expected);
        assert_eq!(jobs(&work).await, 0);
        assert_sound(&work.redis).await;
    }
}

#[tokio::test]
async fn when_all_readers_are_gone_their_jobs_are_there_for_workers_again() {
    let mut work = Work::start().await;
    let mut reader = join(&work).await;
    insert_all(&work, 0..2).await;
    reader.collect(&work).await;
    assert_eq!(jobs(&work).await, 2);
    assert!(work.try_claim().await.is_none());
    work.pass(seconds(21)).await;
    assert_eq!(work.claim_many(2).await.len(), 2);
    assert_sound(&work.redis).await;
    // By its time, which is not that of the test's clock.
    work.redis.run("DEL presque:{q}:readers").await;
    // One that says good-bye gives them back at once.
    let mut reader = join(&work).await;
    work.plain("2").await;
    reader.collect(&work).await;
    work.store.part(&reader.reader, &[]).await.unwrap();
    assert_eq!(work.claim_many(2).await.len(), 1);
}

#[tokio::test]
async fn a_job_that_reached_a_reader_is_not_sent_again_when_the_others_vanish() {
    let mut work = Work::start().await;
    let [mut first, mut second] = [join(&work).await, join(&work).await];
    work.plain("1").await;
    first.collect(&work).await;
    first.collect(&work).await;
    second.collect(&work).await;
    work.store.part(&first.reader, &[]).await.unwrap();
    work.pass(seconds(30)).await;
    assert!(work.claim_many(1).await.is_empty());
    let described = work.store.describe(&work.queue).await.unwrap().unwrap();
    assert_eq!((described.totals.done, described.totals.lost_leases), (1, 0));
    assert_eq!(jobs(&work).await, 0);
}

#[tokio::test]
async fn a_slow_reader_keeps_what_it_has_for_as_long_as_it_is_there() {
    let mut work = Work::start().await;
    let mut reader = join(&work).await;
    work.plain("1").await;
    reader.collect(&work).await;
    for _ in 0..10 {
        work.pass(seconds(5)).await;
        assert_eq!(look(&work, &reader.reader, &[]).await.len(), 1);
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
        let mut readers = Vec::new();
        for _ in 0..30 {
            readers.push(join(&work).await);
        }
        insert_all(&work, 0..30).await;
        for reader in &mut readers {
            reader.collect(&work).await;
        }
        // Nobody looks for so long, as when the store is away.
        work.pass(seconds(15)).await;
        drain(&work, &mut readers).await;
        for (place, reader) in readers.iter().enumerate() {
            let expected = if in_turn { texts(place..place + 1) } else { texts(0..30) };
            assert_eq!(reader.got, expected);
        }
        assert_eq!(jobs(&work).await, 0);
    }
}

#[tokio::test]
async fn a_lease_of_mail_that_ends_is_no_lost_lease_of_the_job() {
    let mut work = Work::start().await;
    work.configure(Settings {
        max_lost_leases: Some(1),
        ..Settings::default()
    })
    .await;
    let mut reader = join(&work).await;
    work.plain("1").await;
    reader.collect(&work).await;
    work.pass(seconds(21)).await;
    assert_eq!(work.claim_many(1).await[0].lost_leases, 0);
}

#[tokio::test]
async fn what_crashed_readers_left_in_the_mail_goes_when_the_next_reader_comes() {
    let mut work = Work::start().await;
    let mut crashed = join(&work).await;
    insert_all(&work, 0..5).await;
    crashed.collect(&work).await;
    work.pass(seconds(30)).await;
    // By its time, which is not that of the test's clock.
    work.redis.run("DEL presque:{q}:readers").await;
    let mut reader = join(&work).await;
    drain(&work, std::slice::from_mut(&mut reader)).await;
    assert_eq!(reader.got, texts(0..5));
    assert_eq!(work.redis.run("EXISTS presque:{q}:mail").await, redis::Value::Int(0));
}
