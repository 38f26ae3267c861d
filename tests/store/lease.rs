//! Leases: claimed, finished, lost.

use super::work::{Work, seconds};
use presque::queue::{Backoff, Settings, State};
use presque::store::{Acked, Claim, DeathReason, Extend, Extended, Nack, NackKind, Nacked, NewJob};
use std::time::Duration;

#[tokio::test]
async fn a_claimed_job_is_active_until_its_ack_and_then_gone() {
    let work = Work::start().await;
    let id = work.plain("1").await;
    assert_eq!(work.state(&id).await, Some(State::Ready));
    let (job, receipt) = work.claim().await;
    assert_eq!((&job.id, job.state, job.claims), (&id, State::Active, 1));
    assert_eq!(job.payload, b"1");
    assert_eq!(
        job.state_time,
        work.clock.now().plus(seconds(60)),
        "the lease's default"
    );
    assert_eq!(work.try_claim().await, None);
    assert_eq!(work.ack(&receipt).await, Acked::Done);
    assert_eq!(work.state(&id).await, None);
    assert_eq!(work.redis.run("EXISTS presque:{q}:jobs").await, redis::Value::Int(0));
    work.assert_sound().await;
}

#[tokio::test]
async fn an_ack_can_be_repeated_for_ten_minutes_and_changes_nothing_more() {
    let mut work = Work::start().await;
    work.plain("1").await;
    let (_, receipt) = work.claim().await;
    assert_eq!(work.ack(&receipt).await, Acked::Done);
    work.pass(seconds(599)).await;
    assert_eq!(work.ack(&receipt).await, Acked::Repeated);
    assert_eq!(work.nack(&receipt, None).await, Nacked::Stale, "it was no nack");
    work.pass(seconds(2)).await;
    assert_eq!(work.ack(&receipt).await, Acked::Stale);
    let totals = work.store.describe(&work.queue).await.unwrap().unwrap().totals;
    assert_eq!((totals.claimed, totals.done, totals.failed), (1, 1, 0));
}

#[tokio::test]
async fn a_lease_that_ended_is_good_until_a_claim_looks_and_stale_after_that() {
    let mut work = Work::start().await;
    let id = work.plain("1").await;
    let (_, first) = work.claim().await;
    work.pass(seconds(60)).await;
    assert_eq!(
        work.extend(&first, None).await,
        Extended::Until(work.clock.now().plus(seconds(60)))
    );
    work.pass(seconds(60)).await;
    let (job, second) = work.claim().await;
    assert_eq!((job.id, job.claims, job.lost_leases, job.failures), (id, 2, 1, 0));
    assert_eq!(work.ack(&first).await, Acked::Stale);
    assert_eq!(work.nack(&first, None).await, Nacked::Stale);
    assert_eq!(work.extend(&first, None).await, Extended::Stale);
    assert_eq!(work.state(&id).await, Some(State::Active));
    assert_eq!(work.ack(&second).await, Acked::Done);
    assert_eq!(work.ack(&first).await, Acked::Stale, "the other one was acknowledged");
    work.assert_sound().await;
}

#[tokio::test]
async fn a_job_whose_leases_are_lost_too_often_is_dead() {
    let mut work = Work::start().await;
    work.configure(Settings {
        max_lost_leases: Some(2),
        ..Settings::default()
    })
    .await;
    let id = work.plain("1").await;
    for _ in 0..2 {
        work.claim().await;
        work.pass(seconds(60)).await;
    }
    assert_eq!(work.try_claim().await, None);
    let job = work.look(&id).await.unwrap();
    assert_eq!(
        (job.state, job.reason, job.lost_leases),
        (State::Dead, Some(DeathReason::LostLeases), 2)
    );
    work.assert_sound().await;
}

#[tokio::test]
async fn the_lease_is_the_claims_else_the_jobs_else_the_queues() {
    let work = Work::start().await;
    work.configure(Settings {
        lease: Some(seconds(5)),
        ..Settings::default()
    })
    .await;
    work.plain("queue").await;
    for _ in 0..2 {
        let lease = Some(seconds(7));
        work.insert(NewJob {
            payload: b"job",
            lease,
            ..NewJob::default()
        })
        .await;
    }
    let now = work.clock.now();
    assert_eq!(work.claim().await.0.state_time, now.plus(seconds(5)));
    assert_eq!(work.claim().await.0.state_time, now.plus(seconds(7)));
    let claim = Claim {
        queues: std::slice::from_ref(&work.queue),
        max_jobs: 1,
        lease: Some(seconds(9)),
        worker: None,
        wait: Duration::ZERO,
        acks: &[],
    };
    assert_eq!(
        work.store.claim(claim).await.unwrap().jobs[0].1.state_time,
        now.plus(seconds(9))
    );
}

#[tokio::test]
async fn an_extension_without_a_length_is_as_long_as_the_lease_and_keeps_the_progress() {
    let mut work = Work::start().await;
    let id = work.plain("1").await;
    let (_, receipt) = work.claim().await;
    work.pass(seconds(1)).await;
    assert_eq!(
        work.extend(&receipt, Some(seconds(5))).await,
        Extended::Until(work.clock.now().plus(seconds(5)))
    );
    let extend = Extend {
        receipt: &receipt,
        lease: None,
        progress: Some("{\"done\":1}"),
    };
    let extended = work.store.extend(&work.queue, &[extend]).await.unwrap();
    assert_eq!(extended, [Extended::Until(work.clock.now().plus(seconds(5)))]);
    work.pass(seconds(5)).await;
    let (job, _) = work.claim().await;
    assert_eq!((job.id, job.progress.as_deref()), (id, Some("{\"done\":1}")));
}

#[tokio::test]
async fn a_failed_job_is_tried_again_later_each_time_and_then_dead_with_its_last_errors() {
    let mut work = Work::start().await;
    let backoff = Backoff::Exponential {
        delay: seconds(10),
        max: seconds(25),
    };
    let new = NewJob {
        payload: b"1",
        max_attempts: Some(7),
        backoff: Some(backoff),
        ..NewJob::default()
    };
    let id = work.insert(new).await;
    for failure in 1..7 {
        let (job, receipt) = work.claim().await;
        assert_eq!((job.claims, job.failures), (failure, failure - 1));
        let Nacked::Scheduled(at) = work.nack(&receipt, None).await else {
            panic!("not scheduled");
        };
        let most = seconds([10, 20, 25, 25, 25, 25][usize::try_from(failure).unwrap() - 1]);
        let delay = at.since(work.clock.now());
        assert!(delay <= most && delay >= most / 2, "{delay:?} after failure {failure}");
        assert_eq!(work.nack(&receipt, None).await, Nacked::Repeated);
        assert_eq!(work.state(&id).await, Some(State::Scheduled));
        assert_eq!(work.try_claim().await, None);
        work.pass(delay).await;
    }
    let (_, receipt) = work.claim().await;
    assert_eq!(work.nack(&receipt, None).await, Nacked::Dead);
    let job = work.look(&id).await.unwrap();
    assert_eq!(
        (job.state, job.reason, job.failures),
        (State::Dead, Some(DeathReason::Failed), 7)
    );
    let errors: Vec<_> = job.errors.iter().map(|error| (error.claim, &*error.text)).collect();
    assert_eq!(
        errors,
        [(3, "boom"), (4, "boom"), (5, "boom"), (6, "boom"), (7, "boom")]
    );
    work.assert_sound().await;
}

#[tokio::test]
async fn jobs_that_failed_together_do_not_come_back_together() {
    let work = Work::start().await;
    let mut times = std::collections::BTreeSet::new();
    for _ in 0..20 {
        work.plain("1").await;
    }
    for job in work.claim_many(20).await {
        match work.nack(&job.receipt().unwrap(), None).await {
            Nacked::Scheduled(at) => times.insert(at),
            other => panic!("{other:?}"),
        };
    }
    assert!(times.len() > 10, "{times:?}");
}

#[tokio::test]
async fn a_worker_may_say_when_a_job_is_tried_again_or_that_it_is_not() {
    let work = Work::start().await;
    let id = work.plain("1").await;
    let (_, receipt) = work.claim().await;
    assert_eq!(work.nack(&receipt, Some(Duration::ZERO)).await, Nacked::Ready);
    let (job, receipt) = work.claim().await;
    assert_eq!((job.id, job.failures), (id, 1));
    let nack = Nack {
        receipt: &receipt,
        error: "never",
        delay: None,
        kind: NackKind::Rejected,
    };
    assert_eq!(work.store.nack(&work.queue, &[nack]).await.unwrap(), [Nacked::Dead]);
    assert_eq!(work.look(&id).await.unwrap().reason, Some(DeathReason::Rejected));
}

#[tokio::test]
async fn a_job_that_is_released_counts_neither_as_failed_nor_as_lost() {
    let mut work = Work::start().await;
    let once = NewJob {
        payload: b"1",
        max_attempts: Some(1),
        ..NewJob::default()
    };
    let id = work.insert(once).await;
    let release = async |error, delay| {
        let (_, receipt) = work.claim().await;
        let nack = Nack {
            receipt: &receipt,
            error,
            delay,
            kind: NackKind::Released,
        };
        let first = work.store.nack(&work.queue, &[nack]).await.unwrap();
        assert_eq!(work.store.nack(&work.queue, &[nack]).await.unwrap(), [Nacked::Repeated]);
        assert_eq!(work.ack(&receipt).await, Acked::Stale);
        first[0]
    };
    for _ in 0..12 {
        assert_eq!(release("", None).await, Nacked::Ready);
    }
    let at = work.clock.now().plus(seconds(20));
    assert_eq!(release("too busy", Some(seconds(20))).await, Nacked::Scheduled(at));
    let job = work.look(&id).await.unwrap();
    assert_eq!((job.state, job.claims), (State::Scheduled, 13));
    assert_eq!((job.failures, job.lost_leases), (0, 0));
    assert_eq!(job.errors, []);
    let (times, last) = job.released.unwrap();
    assert_eq!((times, last.claim, &*last.text), (13, 13, "too busy"));
    let totals = work.store.describe(&work.queue).await.unwrap().unwrap().totals;
    assert_eq!((totals.failed, totals.lost_leases, totals.released), (0, 0, 13));
    let minutes = work.store.history(&work.queue, 1).await.unwrap().unwrap().minutes;
    assert_eq!(minutes[0].released, 13);
    work.pass(seconds(20)).await;
    let (_, receipt) = work.claim().await;
    assert_eq!(work.nack(&receipt, None).await, Nacked::Dead);
    work.assert_sound().await;
}
