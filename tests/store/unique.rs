//! Unique keys: who holds them, and how long.

use super::work::{Work, seconds};
use presque::queue::{Due, Hold, JobId, Settings, State, Status, Unique};
use presque::store::{
    Acked, DeadJobs, DeathReason, FailureReport, Insert, Inserted, InsertedJob, Nack, NackKind, Nacked, NewJob,
};

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
        kind: NackKind::Rejected,
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
    // Given back is not ended.
    let release = Nack {
        receipt: &receipt,
        error: "",
        delay: None,
        kind: NackKind::Released,
    };
    assert_eq!(work.store.nack(&work.queue, &[release]).await.unwrap(), [Nacked::Ready]);
    assert!(!is_free(&work, hold).await);
    let (_, receipt) = work.claim().await;
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

async fn reason(work: &Work, id: &JobId) -> Option<DeathReason> {
    work.look(id).await.expect("the job is there").reason
}

#[tokio::test]
async fn a_job_that_has_expired_gives_its_key_to_the_next_one_also_on_a_paused_queue() {
    let mut work = Work::start().await;
    for hold in [Hold::UntilClaimed, Hold::UntilEnded] {
        for due in [Due::Now, Due::In(seconds(1)), Due::In(seconds(60))] {
            for status in [Status::Open, Status::Stopped] {
                work.store.set_status(&work.queue, status).await.unwrap();
                let expiring = NewJob {
                    due,
                    expires_in: Some(seconds(5)),
                    ..keyed(hold)
                };
                let old = work.insert(expiring).await;
                work.pass(seconds(4)).await;
                assert_eq!(work.try_insert(expiring).await, InsertedJob::Duplicate(old));
                work.pass(seconds(1)).await;
                let new = work.insert(keyed(hold)).await;
                assert_eq!(reason(&work, &old).await, Some(DeathReason::Expired));
                assert_eq!(work.try_insert(keyed(hold)).await, InsertedJob::Duplicate(new));
                work.store.set_status(&work.queue, Status::Open).await.unwrap();
                let (job, receipt) = work.claim().await;
                assert_eq!(job.id, new);
                work.ack(&receipt).await;
                work.assert_sound().await;
            }
        }
    }
}

#[tokio::test]
async fn of_a_batch_with_one_key_the_first_follows_an_expired_job_and_the_second_is_a_duplicate() {
    let mut work = Work::start().await;
    let hold = Hold::UntilEnded;
    let expires_in = Some(seconds(5));
    let old = work
        .insert(NewJob {
            expires_in,
            ..keyed(hold)
        })
        .await;
    work.pass(seconds(5)).await;
    let insert = Insert {
        queue: &work.queue,
        jobs: &[NewJob::default(), keyed(hold), keyed(hold)],
        failed: None,
        idempotency: None,
    };
    let Inserted::Jobs(jobs) = work.store.insert(insert).await.unwrap() else {
        panic!("the jobs are inserted");
    };
    let [
        InsertedJob::Stored(_),
        InsertedJob::Stored(first),
        InsertedJob::Duplicate(holder),
    ] = &jobs[..]
    else {
        panic!("{jobs:?}");
    };
    assert_eq!(first, holder);
    assert_eq!(reason(&work, &old).await, Some(DeathReason::Expired));
    work.assert_sound().await;
}

#[tokio::test]
async fn a_job_whose_last_lease_has_ended_gives_its_key_to_the_next_one() {
    let mut work = Work::start().await;
    let hold = Hold::UntilEnded;
    let settings = Settings {
        max_lost_leases: Some(2),
        status: Status::Open,
        ..Settings::default()
    };
    work.configure(settings).await;
    let old = work.insert(keyed(hold)).await;
    let (_, first) = work.claim().await;
    work.pass(seconds(60)).await;
    // It has another attempt; and until a claim looks, the lease is good.
    assert_eq!(work.try_insert(keyed(hold)).await, InsertedJob::Duplicate(old));
    assert_eq!(work.state(&old).await, Some(State::Active));
    let (_, second) = work.claim().await;
    assert_eq!(work.ack(&first).await, Acked::Stale);
    work.pass(seconds(59)).await;
    assert_eq!(work.try_insert(keyed(hold)).await, InsertedJob::Duplicate(old));
    work.pass(seconds(1)).await;
    work.store.set_status(&work.queue, Status::Stopped).await.unwrap();
    work.insert(keyed(hold)).await;
    assert_eq!(reason(&work, &old).await, Some(DeathReason::LostLeases));
    assert_eq!(work.ack(&second).await, Acked::Stale);
    let totals = work.store.describe(&work.queue).await.unwrap().unwrap().totals;
    assert_eq!(totals.lost_leases, 2);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_job_that_expired_under_a_lease_that_has_ended_gives_its_key_to_the_next_one() {
    let mut work = Work::start().await;
    let hold = Hold::UntilEnded;
    let expires_in = Some(seconds(5));
    let old = work
        .insert(NewJob {
            expires_in,
            ..keyed(hold)
        })
        .await;
    work.claim().await;
    work.pass(seconds(59)).await;
    assert_eq!(work.try_insert(keyed(hold)).await, InsertedJob::Duplicate(old));
    work.pass(seconds(1)).await;
    work.insert(keyed(hold)).await;
    let job = work.look(&old).await.unwrap();
    assert_eq!((job.reason, job.lost_leases), (Some(DeathReason::Expired), 1));
    work.assert_sound().await;
}

#[tokio::test]
async fn a_key_for_a_time_is_held_although_its_job_has_expired() {
    let mut work = Work::start().await;
    let hold = Hold::For(seconds(10));
    let expires_in = Some(seconds(5));
    let old = work
        .insert(NewJob {
            expires_in,
            ..keyed(hold)
        })
        .await;
    work.pass(seconds(9)).await;
    assert_eq!(work.try_insert(keyed(hold)).await, InsertedJob::Duplicate(old));
    work.pass(seconds(1)).await;
    work.insert(keyed(hold)).await;
    work.assert_sound().await;
}

#[tokio::test]
async fn a_retry_and_a_redriven_job_take_the_key_of_an_expired_one_too() {
    let mut work = Work::start().await;
    let hold = Hold::UntilEnded;
    let expiring = NewJob {
        expires_in: Some(seconds(5)),
        ..keyed(hold)
    };
    let old = work.insert(expiring).await;
    work.pass(seconds(5)).await;
    let insert = Insert {
        queue: &work.queue,
        jobs: &[keyed(hold)],
        failed: Some(FailureReport { worker: None }),
        idempotency: None,
    };
    let inserted = work.store.insert(insert).await.unwrap();
    assert!(matches!(&inserted, Inserted::Jobs(jobs) if matches!(jobs[..], [InsertedJob::Stored(_)])));
    assert_eq!(reason(&work, &old).await, Some(DeathReason::Expired));

    bury(&work).await;
    work.store.remove(&work.queue, &old).await.unwrap();
    let holder = work.insert(expiring).await;
    work.pass(seconds(5)).await;
    let redriven = work.store.redrive(&work.queue, DeadJobs::First(10)).await.unwrap();
    assert_eq!((redriven.redriven, redriven.conflicts, redriven.dead), (1, 0, 1));
    assert_eq!(reason(&work, &holder).await, Some(DeathReason::Expired));
    work.assert_sound().await;
}

#[tokio::test]
async fn a_job_that_is_redriven_is_not_forgotten_for_the_expired_one_that_held_its_key() {
    let mut work = Work::start().await;
    work.configure(Settings {
        max_dead: Some(1),
        ..Settings::default()
    })
    .await;
    let hold = Hold::UntilEnded;
    let rejected = work.insert(keyed(hold)).await;
    bury(&work).await;
    work.insert(NewJob {
        expires_in: Some(seconds(5)),
        ..keyed(hold)
    })
    .await;
    work.pass(seconds(5)).await;
    let redriven = work.store.redrive(&work.queue, DeadJobs::First(10)).await.unwrap();
    assert_eq!((redriven.redriven, redriven.conflicts), (1, 0));
    let (job, _) = work.claim().await;
    assert_eq!(job.id, rejected);
    work.assert_sound().await;
}
