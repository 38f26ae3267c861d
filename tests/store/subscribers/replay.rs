//! What an event stream gets that was cut off.

use super::{Sent, after, drain, insert_all, jobs, join, look, round_robin, text, texts};
use crate::store::work::{Work, seconds};
use crate::support::assert_sound;
use presque::store::{Delete, DeliveryId, NewJob, SubscriberKind};

#[tokio::test]
async fn a_reader_that_was_cut_off_is_told_what_was_sent_to_all_since() {
    let work = Work::start().await;
    let mut subscriber = join(&work).await;
    insert_all(&work, 0..5).await;
    drain(&work, std::slice::from_mut(&mut subscriber)).await;
    let missed = async |last| {
        let (_, missed) = work.store.subscribe(&work.queue, after(&last)).await.unwrap().unwrap();
        assert!(missed.iter().all(|delivery| delivery.id.is_none()));
        missed.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(missed(2).await, ["2", "3", "4"]);
    assert!(missed(5).await.is_empty());
    // What is known no more counts by its number.
    assert_eq!(missed(0).await.len(), 5);
}

#[tokio::test]
async fn what_is_sent_to_a_stream_that_outlives_what_a_deletion_left_is_kept_too() {
    let work = Work::start().await;
    work.plain("0").await;
    work.store.delete(&work.queue, Delete::Jobs).await.unwrap();
    let mut subscriber = join(&work).await;
    // As when the time of what is kept of a deleted queue is over.
    work.redis.run("DEL presque:{q}:meta").await;
    subscriber.poll(&work).await;
    insert_all(&work, 1..4).await;
    drain(&work, std::slice::from_mut(&mut subscriber)).await;
    let (_, missed) = work.store.subscribe(&work.queue, after(&1)).await.unwrap().unwrap();
    assert_eq!(missed.iter().map(text).collect::<Vec<_>>(), ["2", "3"]);
}

#[tokio::test]
async fn in_turn_a_reader_that_was_cut_off_is_told_only_what_was_sent_to_it() {
    let work = Work::start().await;
    round_robin(&work).await;
    let mut subscribers = [join(&work).await, join(&work).await];
    insert_all(&work, 0..6).await;
    drain(&work, &mut subscribers).await;
    assert_eq!(subscribers[0].got, ["0", "2", "4"]);
    let (_, missed) = work.store.subscribe(&work.queue, after(&1)).await.unwrap().unwrap();
    assert_eq!(missed.iter().map(text).collect::<Vec<_>>(), ["2", "4"]);
}

#[tokio::test]
async fn a_reader_that_got_nothing_comes_back_with_what_was_sent_to_all_before_it_came() {
    let work = Work::start().await;
    let mut subscribers = [join(&work).await];
    assert_eq!(subscribers[0].subscriber.last_of_all(&[]), [0]);
    insert_all(&work, 0..2).await;
    drain(&work, &mut subscribers).await;
    round_robin(&work).await;
    insert_all(&work, 2..4).await;
    drain(&work, &mut subscribers).await;
    // What one alone was sent is no place from which another could go on.
    let late = join(&work).await;
    assert_eq!(late.subscriber.last_of_all(&[]), [2]);
    assert_eq!(late.subscriber.last_of_all(&[4]), [4]);
    let (back, missed) = work.store.subscribe(&work.queue, after(&2)).await.unwrap().unwrap();
    assert!(missed.is_empty());
    assert_eq!(back.last_of_all(&[2]), [2]);
}

#[tokio::test]
async fn what_was_sent_is_kept_up_to_a_mebibyte() {
    let work = Work::start().await;
    let mut subscriber = join(&work).await;
    let large = NewJob {
        payload: &vec![b'1'; 400_000],
        ..NewJob::default()
    };
    for _ in 0..5 {
        work.try_insert(large).await;
    }
    drain(&work, std::slice::from_mut(&mut subscriber)).await;
    let (_, missed) = work.store.subscribe(&work.queue, after(&0)).await.unwrap().unwrap();
    assert_eq!(
        missed.iter().map(|delivery| delivery.number).collect::<Vec<_>>(),
        [4, 5]
    );
}

#[tokio::test]
async fn a_reader_that_comes_back_gets_what_nobody_was_sent_yet_and_nothing_twice() {
    for in_turn in [true, false] {
        let work = Work::start().await;
        if in_turn {
            round_robin(&work).await;
        }
        let mut cut = join(&work).await;
        insert_all(&work, 0..6).await;
        let deliveries = look(&work, &cut.subscriber, &[]).await;
        let sent_ids: Vec<DeliveryId> = deliveries
            .into_iter()
            .take(2)
            .map(|delivery| delivery.id.unwrap())
            .collect();
        work.store.unsubscribe(&cut.subscriber, &sent_ids).await.unwrap();
        // The jobs that it was not sent are in the queue again.
        let (subscriber, missed) = work.store.subscribe(&work.queue, after(&2)).await.unwrap().unwrap();
        assert!(missed.is_empty());
        cut = Sent {
            subscriber,
            sent_ids: Vec::new(),
            got: Vec::new(),
        };
        drain(&work, std::slice::from_mut(&mut cut)).await;
        assert_eq!(cut.got, texts(2..6));
    }
}

#[tokio::test]
async fn a_reader_that_comes_back_before_it_is_missed_gets_what_is_in_the_mail_too() {
    let mut work = Work::start().await;
    let mut old = join(&work).await;
    insert_all(&work, 0..4).await;
    let deliveries = look(&work, &old.subscriber, &[]).await;
    old.sent_ids = deliveries
        .into_iter()
        .take(2)
        .map(|delivery| delivery.id.unwrap())
        .collect();
    look(&work, &old.subscriber, &old.sent_ids).await;
    let (subscriber, missed) = work.store.subscribe(&work.queue, after(&1)).await.unwrap().unwrap();
    assert_eq!(missed.iter().map(text).collect::<Vec<_>>(), ["1"]);
    let mut new = [Sent {
        subscriber,
        sent_ids: Vec::new(),
        got: Vec::new(),
    }];
    drain(&work, &mut new).await;
    assert_eq!(new[0].got, texts(2..4));
    // The old one vanishes.
    for _ in 0..3 {
        work.pass(seconds(5)).await;
        drain(&work, &mut new).await;
    }
    assert_eq!(jobs(&work).await, 0);
    assert_eq!(new[0].got, texts(2..4));
    assert_sound(&work.redis).await;
}

#[tokio::test]
async fn in_turn_a_reader_may_be_cut_off_twice() {
    let work = Work::start().await;
    round_robin(&work).await;
    let mut subscribers = [join(&work).await, join(&work).await];
    insert_all(&work, 0..6).await;
    drain(&work, &mut subscribers).await;
    // It came back after 1, was sent 3 and 5 again, and got but 3 of them.
    for last in [1, 3] {
        let (_, missed) = work.store.subscribe(&work.queue, after(&last)).await.unwrap().unwrap();
        assert_eq!(missed.last().unwrap().number, 5, "{last}");
    }
}

#[tokio::test]
async fn nothing_is_kept_where_no_event_stream_ever_was() {
    let work = Work::start().await;
    let (subscriber, _) = work
        .store
        .subscribe(&work.queue, SubscriberKind::Plain)
        .await
        .unwrap()
        .unwrap();
    let mut plain = [Sent {
        subscriber,
        sent_ids: Vec::new(),
        got: Vec::new(),
    }];
    insert_all(&work, 0..3).await;
    drain(&work, &mut plain).await;
    assert_eq!(plain[0].got.len(), 3);
    assert!(
        work.store
            .subscribe(&work.queue, after(&0))
            .await
            .unwrap()
            .unwrap()
            .1
            .is_empty()
    );
}
