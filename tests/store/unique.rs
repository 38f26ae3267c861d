//! Unique keys: who holds them, and how long.

use super::work::{Work, seconds};
use presque::queue::{Hold, Unique};
use presque::store::{DeadJobs, InsertedJob, Nack, Nacked, NewJob};

fn keyed(hold: Hold) -> NewJob<'static> {
    NewJob {
        payload: b"1",
        unique: Some(Unique { key: b"k\xff", hold }),
        ..NewJob::default()
    }
}

async fn is_free(work: &Work, hold: Hold) -> bool {
    match work.try_insert(keyed(hold)).await {
        InsertedJob::Duplicate(_) => false,
        InsertedJob::Stored(id) => {
            work.store.remove(&work.queue, &id).await.unwrap();
            true
        }
    }
}

async fn bury(work: &Work) {
    let (_, receipt) = work.claim().await;
    let nack = Nack {
        receipt: &receipt,
        error: "",
        delay: None,
        is_rejected: true,
    };
    assert_eq!(work.store.nack(&work.queue, &[nack]).await.unwrap(), [Nacked::Dead]);
}

#[tokio::test]
async fn a_key_is_held_while_its_job_waits() {
    let work = Work::start().await;
    let hold = Hold::UntilClaimed;
    let id = work.insert(keyed(hold)).await;
    assert_eq!(work.try_insert(keyed(hold)).await, InsertedJob::Duplicate(id));
    work.claim().await;
    assert!(is_free(&work, hold).await);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_key_is_held_while_its_job_is_unfinished_and_released_on_every_way_out() {
    let mut work = Work::start().await;
    let hold = Hold::UntilEnded;
    // Done.
    work.insert(keyed(hold)).await;
    let (_, receipt) = work.claim().await;
    assert!(!is_free(&work, hold).await);
    work.ack(&receipt).await;
    assert!(is_free(&work, hold).await);
    // Dead.
    work.insert(keyed(hold)).await;
    bury(&work).await;
    assert!(is_free(&work, hold).await);
    // Cancelled, active.
    let id = work.insert(keyed(hold)).await;
    work.claim().await;
    work.store.remove(&work.queue, &id).await.unwrap();
    assert!(is_free(&work, hold).await);
    // Expired.
    let expires_in = Some(seconds(1));
    work.insert(NewJob {
        expires_in,
        ..keyed(hold)
    })
    .await;
    work.pass(seconds(1)).await;
    assert_eq!(work.try_claim().await, None);
    assert!(is_free(&work, hold).await);
    // Fetched for good.
    work.insert(keyed(hold)).await;
    let fetch = presque::store::Fetch {
        queue: &work.queue,
        worker: None,
        max_jobs: 1,
    };
    work.store.fetch(fetch).await.unwrap();
    assert!(is_free(&work, hold).await);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_retry_keeps_the_key_of_an_unfinished_job_and_does_not_take_back_that_of_a_waiting_one() {
    let work = Work::start().await;
    for (hold, free) in [(Hold::UntilEnded, false), (Hold::UntilClaimed, true)] {
        let id = work.insert(keyed(hold)).await;
        let (_, receipt) = work.claim().await;
        work.nack(&receipt, None).await;
        assert_eq!(is_free(&work, hold).await, free);
        work.store.remove(&work.queue, &id).await.unwrap();
    }
    work.assert_sound().await;
}

#[tokio::test]
async fn a_key_for_a_time_is_held_by_the_clock_alone_unless_its_job_is_cancelled() {
    let mut work = Work::start().await;
    let hold = Hold::For(seconds(10));
    work.insert(keyed(hold)).await;
    let (_, receipt) = work.claim().await;
    work.ack(&receipt).await;
    work.pass(seconds(9)).await;
    assert!(!is_free(&work, hold).await);
    work.pass(seconds(1)).await;
    let id = work.insert(keyed(hold)).await;
    work.store.remove(&work.queue, &id).await.unwrap();
    assert!(is_free(&work, hold).await);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_dead_job_whose_key_is_held_by_now_stays_dead() {
    let work = Work::start().await;
    work.insert(keyed(Hold::UntilEnded)).await;
    bury(&work).await;
    let other = work.insert(keyed(Hold::UntilEnded)).await;
    let redriven = work.store.redrive(&work.queue, DeadJobs::First(10)).await.unwrap();
    assert_eq!((redriven.redriven, redriven.conflicts, redriven.dead), (0, 1, 1));
    work.store.remove(&work.queue, &other).await.unwrap();
    let redriven = work.store.redrive(&work.queue, DeadJobs::First(10)).await.unwrap();
    assert_eq!((redriven.redriven, redriven.conflicts, redriven.dead), (1, 0, 0));
    assert!(!is_free(&work, Hold::UntilEnded).await);
    work.assert_sound().await;
}
