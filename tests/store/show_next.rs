//! Showing the next job: what is counted changes nothing else.

use super::take_next::{short, show, take, text};
use super::work::{Work, seconds};
use presque::queue::{Hold, JobId, Settings, State, Unique};
use presque::store::{DeadJobs, DeathReason, InsertedJob, Nacked, NewJob, Removed};

#[tokio::test]
async fn each_showing_is_counted_and_the_job_stays_the_next_one() {
    let work = Work::start().await;
    work.plain("1").await;
    work.insert(text(r#""2""#)).await;
    for count in 1..=3 {
        assert_eq!(show(&work).await, Some((1, count)));
    }
    let counts = work.store.counts(&work.queue).await.unwrap();
    assert_eq!((counts.ready, counts.processed), (2, None));
    take(&work).await.unwrap();
    assert_eq!(show(&work).await, Some((2, 1)));
    work.assert_sound().await;
    take(&work).await.unwrap();
    let kept = work.redis.run("EXISTS presque:{q}:jobs").await;
    assert_eq!(kept, redis::Value::Int(0));
}

/// Shows the only job of the queue, which nobody can see by looking at it.
async fn shown(work: &Work, id: &JobId) {
    let before = work.look(id).await.unwrap();
    let again = work.store.show_next(&work.queue).await.unwrap().unwrap();
    assert_eq!(&again.0.id, id);
    assert_eq!(work.look(id).await.unwrap(), before);
}

#[tokio::test]
async fn a_job_that_was_shown_is_claimed_by_its_own_rules_and_keeps_its_count() {
    let mut work = Work::start().await;
    let unique = Some(Unique {
        key: b"k",
        hold: Hold::UntilClaimed,
    });
    let job = NewJob {
        payload: b"1",
        max_attempts: Some(2),
        lease: Some(seconds(7)),
        unique,
        ..NewJob::default()
    };
    let id = work.insert(job).await;
    shown(&work, &id).await;
    work.assert_sound().await;
    let duplicate = work.try_insert(job).await;
    assert_eq!(duplicate, InsertedJob::Duplicate(id));
    let (claimed, receipt) = work.claim().await;
    assert_eq!(
        (claimed.claims, claimed.state_time),
        (1, work.clock.now().plus(seconds(7)))
    );
    work.assert_sound().await;
    assert_eq!(work.nack(&receipt, Some(seconds(0))).await, Nacked::Ready);
    assert_eq!(show(&work).await, Some((1, 2)));
    let (_, receipt) = work.claim().await;
    assert_eq!(work.nack(&receipt, None).await, Nacked::Dead);
    work.store.redrive(&work.queue, DeadJobs::First(1)).await.unwrap();
    assert_eq!(show(&work).await, Some((1, 3)));
    work.pass(seconds(1)).await;
    work.assert_sound().await;
}

#[tokio::test]
async fn a_job_that_was_shown_and_never_claimed_expires_is_redriven_and_is_called_off_like_any_other() {
    let mut work = Work::start().await;
    let retain = Some(seconds(60));
    work.configure(Settings {
        retain,
        ..Settings::default()
    })
    .await;
    let unique = Some(Unique {
        key: b"k",
        hold: Hold::UntilEnded,
    });
    let job = NewJob { unique, ..short("1") };
    let id = work.insert(job).await;
    shown(&work, &id).await;
    work.pass(seconds(5)).await;
    assert_eq!(show(&work).await, None);
    let dead = work.look(&id).await.unwrap();
    assert_eq!((dead.reason, dead.claims), (Some(DeathReason::Expired), 0));
    work.assert_sound().await;

    let redriven = work.store.redrive(&work.queue, DeadJobs::First(1)).await.unwrap();
    assert_eq!(redriven.redriven, 1);
    shown(&work, &id).await;
    work.assert_sound().await;

    let removed = work.store.remove(&work.queue, &id).await.unwrap();
    assert_eq!(removed, Removed::Cancelled);
    assert_eq!(work.state(&id).await, Some(State::Cancelled));
    work.assert_sound().await;
    work.insert(job).await;
    work.assert_sound().await;
}
