//! Jobs by their numbers.

use super::work::{Work, seconds};
use presque::queue::{Due, Hold, JobId, Priority, Settings, State, Status, Unique};
use presque::store::{InsertBatch, InsertedJob, NewJob};

async fn remove(work: &Work, number: u64) -> bool {
    work.store.remove_number(&work.queue, number).await.unwrap()
}

/// How many jobs are ready, and the numbers of the newest.
async fn newest(work: &Work, most: usize) -> (u64, Vec<u64>) {
    let newest = work.store.newest(&work.queue, most).await.unwrap();
    (newest.ready, newest.numbers)
}

async fn urgent(work: &Work, priority: u8, due: Due) -> JobId {
    let priority = Priority::new(priority).unwrap();
    work.insert(NewJob {
        payload: b"1",
        priority,
        due,
        ..NewJob::default()
    })
    .await
}

/// Inserts jobs that are due now, all of one date.
async fn many_due(work: &Work, count: usize) {
    let payloads = vec![&b"1"[..]; count];
    let batch = InsertBatch {
        queue: &work.queue,
        payloads: &payloads,
        due: Some(work.clock.now()),
    };
    work.store.insert_batch(batch).await.unwrap();
}

#[tokio::test]
async fn a_ready_job_of_any_priority_is_called_off_by_its_number_and_no_other() {
    let work = Work::start().await;
    let mut ids = Vec::new();
    for priority in [4, 0, 9, 5, 4, 1] {
        ids.push(urgent(&work, priority, Due::Now).await);
    }
    for (place, id) in ids.iter().enumerate() {
        assert_eq!(id.number(), place as u64 + 1);
        assert!(remove(&work, id.number()).await, "{id}");
        assert!(!remove(&work, id.number()).await, "{id} is gone");
        assert_eq!(work.look(id).await, None);
        let left = work.store.counts(&work.queue).await.unwrap().ready;
        assert_eq!(left, (ids.len() - place - 1) as u64);
    }
    work.assert_sound().await;
}

#[tokio::test]
async fn numbers_that_no_job_has_are_none() {
    let work = Work::start().await;
    let id = work.plain("1").await;
    // Some are so large that their places would be other jobs' places, or no place at all.
    let places = [1 << 48, (1 << 48) + 1, (1 << 49) + 1, (5 << 49) + 1, 1 << 53];
    for number in [0, 2, (1 << 48) - 1, u64::MAX].into_iter().chain(places) {
        assert!(!remove(&work, number).await, "{number}");
    }
    assert_eq!(work.state(&id).await, Some(State::Ready));
}

#[tokio::test]
async fn a_job_that_was_scheduled_is_called_off_when_it_is_due_and_not_before() {
    let mut work = Work::start().await;
    let ids = [
        urgent(&work, 4, Due::In(seconds(10))).await,
        urgent(&work, 9, Due::In(seconds(20))).await,
        work.plain("1").await,
    ];
    assert!(!remove(&work, 1).await);
    assert_eq!(work.state(&ids[0]).await, Some(State::Scheduled));
    work.pass(seconds(20)).await;
    assert!(remove(&work, 1).await);
    assert!(remove(&work, 2).await);
    assert_eq!(newest(&work, 10).await, (1, vec![3]));
    work.assert_sound().await;
}

#[tokio::test]
async fn among_very_many_that_were_scheduled_the_first_thousand_are_found_and_the_others_always() {
    let work = Work::start().await;
    many_due(&work, 1100).await;
    let plain = work.plain("1").await;
    let low = urgent(&work, 0, Due::Now).await;
    assert!(remove(&work, 1000).await);
    assert!(remove(&work, 1001).await, "it has moved up");
    assert!(!remove(&work, 1100).await, "the last of them");
    assert!(remove(&work, plain.number()).await);
    assert!(remove(&work, low.number()).await);
    work.assert_sound().await;
}

#[tokio::test]
async fn active_and_ended_jobs_are_not_called_off_by_their_number() {
    let work = Work::start().await;
    let retain = Some(seconds(60));
    work.configure(Settings {
        retain,
        ..Settings::default()
    })
    .await;
    let id = work.plain("1").await;
    let (_, receipt) = work.claim().await;
    assert!(!remove(&work, 1).await);
    work.ack(&receipt).await;
    assert!(!remove(&work, 1).await);
    assert_eq!(work.state(&id).await, Some(State::Done));

    let id = work.plain("2").await;
    assert!(remove(&work, 2).await);
    assert_eq!(work.state(&id).await, Some(State::Cancelled), "it is retained");
    assert!(!remove(&work, 2).await);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_job_that_came_back_is_called_off_and_releases_its_key() {
    let mut work = Work::start().await;
    for hold in [Hold::UntilClaimed, Hold::UntilEnded, Hold::For(seconds(600))] {
        let job = NewJob {
            payload: b"1",
            unique: Some(Unique { key: b"k", hold }),
            ..NewJob::default()
        };
        let first = work.insert(job).await;
        let (_, receipt) = work.claim().await;
        work.nack(&receipt, Some(seconds(1))).await;
        assert!(!remove(&work, first.number()).await, "not before its next attempt");
        work.pass(seconds(1)).await;
        assert!(remove(&work, first.number()).await, "{hold:?}");
        let again = work.try_insert(job).await;
        assert!(matches!(again, InsertedJob::Stored(_)), "{hold:?}");
        work.claim().await;
        work.store
            .delete(&work.queue, presque::store::Delete::Jobs)
            .await
            .unwrap();
    }
    work.assert_sound().await;
}

#[tokio::test]
async fn a_job_of_a_stopped_queue_is_called_off_by_its_number() {
    let work = Work::start().await;
    work.plain("1").await;
    work.store.set_status(&work.queue, Status::Stopped).await.unwrap();
    assert_eq!(newest(&work, 10).await, (1, vec![1]));
    assert!(remove(&work, 1).await);
    assert_eq!(newest(&work, 10).await, (0, vec![]));
}

#[tokio::test]
async fn the_newest_ready_jobs_are_told_newest_first_and_all_are_counted() {
    let mut work = Work::start().await;
    for priority in [4, 9, 0, 4, 9, 4] {
        urgent(&work, priority, Due::Now).await;
    }
    urgent(&work, 4, Due::In(seconds(10))).await;
    assert_eq!(newest(&work, 4).await, (6, vec![6, 5, 4, 3]));
    assert_eq!(newest(&work, 10).await, (6, vec![6, 5, 4, 3, 2, 1]));
    assert_eq!(newest(&work, 0).await, (6, vec![]));
    work.pass(seconds(10)).await;
    assert_eq!(newest(&work, 2).await, (7, vec![7, 6]));
    work.claim().await;
    assert_eq!(newest(&work, usize::MAX).await, (6, vec![7, 6, 5, 4, 3, 1]));
    work.assert_sound().await;
}

#[tokio::test]
async fn of_very_many_ready_jobs_the_last_thousand_are_looked_at() {
    let work = Work::start().await;
    let payloads = vec![&b"1"[..]; 1500];
    let batch = InsertBatch {
        queue: &work.queue,
        payloads: &payloads,
        due: None,
    };
    work.store.insert_batch(batch).await.unwrap();
    urgent(&work, 9, Due::Now).await;
    assert_eq!(newest(&work, 3).await, (1501, vec![1500, 1499, 1498]));
    let (size, numbers) = newest(&work, 5000).await;
    assert_eq!((size, numbers.len(), numbers[999]), (1501, 1000, 501));
}

#[tokio::test]
async fn a_job_that_has_expired_is_there_no_more_for_who_calls_it_off() {
    let mut work = Work::start().await;
    let id = work
        .insert(NewJob {
            payload: b"1",
            expires_in: Some(seconds(1)),
            ..NewJob::default()
        })
        .await;
    work.pass(seconds(1)).await;
    assert!(!remove(&work, 1).await);
    assert_eq!(work.state(&id).await, Some(State::Dead));
    work.assert_sound().await;
}
