//! How jobs end, and what is kept of them.

use super::work::{Work, seconds};
use presque::queue::{Settings, State};
use presque::store::{
    Ack, Acked, DeadJobs, DeathReason, Extended, Nack, NackKind, Nacked, NewJob, Purged, Redriven, Removed,
};

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
async fn a_done_job_is_kept_with_its_result_for_as_long_as_the_queue_says() {
    let mut work = Work::start().await;
    work.configure(Settings {
        retain: Some(seconds(10)),
        ..Settings::default()
    })
    .await;
    let id = work.plain("1").await;
    let (_, receipt) = work.claim().await;
    let ack = Ack {
        receipt: &receipt,
        result: Some("[1]"),
    };
    assert_eq!(work.store.ack(&work.queue, &[ack]).await.unwrap(), [Acked::Done]);
    let job = work.look(&id).await.unwrap();
    assert_eq!(
        (job.state, job.result.as_deref(), job.payload),
        (State::Done, Some("[1]"), b"1".to_vec())
    );
    assert_eq!(work.ack(&receipt).await, Acked::Repeated);
    work.pass(seconds(10)).await;
    assert_eq!(work.state(&id).await, None);
    assert_eq!(work.try_claim().await, None, "which forgets it");
    assert_eq!(work.redis.run("EXISTS presque:{q}:jobs").await, redis::Value::Int(0));
}

#[tokio::test]
async fn a_cancelled_job_is_not_handed_out_and_its_worker_learns_it() {
    let mut work = Work::start().await;
    let waiting = work.plain("waiting").await;
    assert_eq!(
        work.store.remove(&work.queue, &waiting).await.unwrap(),
        Removed::Cancelled
    );
    assert_eq!(work.try_claim().await, None);
    let id = work.plain("active").await;
    let (_, receipt) = work.claim().await;
    for _ in 0..2 {
        assert_eq!(work.store.remove(&work.queue, &id).await.unwrap(), Removed::Cancelled);
    }
    assert_eq!(work.state(&id).await, Some(State::Cancelled));
    assert_eq!(work.extend(&receipt, None).await, Extended::Cancelled);
    assert_eq!(work.ack(&receipt).await, Acked::Cancelled);
    assert_eq!(work.nack(&receipt, None).await, Nacked::Cancelled);
    work.pass(seconds(60)).await;
    assert_eq!(work.try_claim().await, None);
    assert_eq!(work.state(&id).await, None);
    assert_eq!(work.store.remove(&work.queue, &id).await.unwrap(), Removed::Unknown);
    work.assert_sound().await;
}

#[tokio::test]
async fn an_expired_job_is_dead_and_not_handed_out_even_to_the_workers_of_2010() {
    let mut work = Work::start().await;
    let expires_in = Some(seconds(5));
    let ids = [
        work.insert(NewJob {
            payload: b"1",
            expires_in,
            ..NewJob::default()
        })
        .await,
        work.insert(NewJob {
            payload: b"2",
            expires_in,
            ..NewJob::default()
        })
        .await,
    ];
    work.pass(seconds(5)).await;
    work.plain("3").await;
    let fetch = presque::store::Fetch {
        queue: &work.queue,
        worker: None,
        max_jobs: 1,
    };
    let fetched = work.store.fetch(fetch).await.unwrap();
    assert_eq!(fetched, presque::store::Fetched::Jobs(vec![b"3".to_vec()]));
    for id in ids {
        assert_eq!(work.look(&id).await.unwrap().reason, Some(DeathReason::Expired));
    }
    // Redriven, it expires no more.
    work.store.redrive(&work.queue, DeadJobs::First(1)).await.unwrap();
    assert_eq!(work.claim().await.0.payload, b"1");
    work.assert_sound().await;
}

#[tokio::test]
async fn any_number_of_expired_jobs_does_not_hide_the_one_behind_them() {
    let mut work = Work::start().await;
    let expires_in = Some(seconds(5));
    for _ in 0..250 {
        work.insert(NewJob {
            payload: b"1",
            expires_in,
            ..NewJob::default()
        })
        .await;
    }
    work.pass(seconds(5)).await;
    work.plain("last").await;
    assert_eq!(work.claim().await.0.payload, b"last");
    work.assert_sound().await;
}

#[tokio::test]
async fn not_even_ten_thousand_expired_jobs_hide_the_one_behind_them() {
    let mut work = Work::start().await;
    let expiring = NewJob {
        payload: b"1",
        expires_in: Some(seconds(5)),
        ..NewJob::default()
    };
    for turn in 0..4 {
        for _ in 0..10 {
            let insert = presque::store::Insert {
                queue: &work.queue,
                jobs: &[expiring; 1000],
                failed: None,
                idempotency: None,
            };
            work.store.insert(insert).await.unwrap();
        }
        work.pass(seconds(5)).await;
        work.plain("last").await;
        let fetch = presque::store::Fetch {
            queue: &work.queue,
            worker: None,
            max_jobs: 1,
        };
        let payload = match turn {
            0 => work.claim().await.0.payload,
            1 => work.store.show_next(&work.queue).await.unwrap().unwrap().0.payload,
            2 => work.store.take_next(&work.queue).await.unwrap().unwrap().payload,
            _ => match work.store.fetch(fetch).await.unwrap() {
                presque::store::Fetched::Jobs(mut jobs) => jobs.remove(0),
                presque::store::Fetched::Stopped => panic!("the queue is stopped"),
            },
        };
        assert_eq!(payload, b"last", "{turn}");
        if turn == 1 {
            work.claim().await;
        }
    }
    work.assert_sound().await;
}

#[tokio::test]
async fn any_number_of_last_leases_that_ended_does_not_hide_a_job_that_comes_back() {
    let mut work = Work::start().await;
    let settings = Settings {
        max_lost_leases: Some(2),
        ..Settings::default()
    };
    work.configure(settings).await;
    for turn in 0..3 {
        for _ in 0..100 {
            work.plain("1").await;
        }
        for _ in 0..2 {
            work.pass(seconds(60)).await;
            assert_eq!(work.claim_many(100).await.len(), 100);
        }
        work.plain("last").await;
        work.pass(seconds(1)).await;
        work.claim().await;
        work.pass(seconds(60)).await;
        let fetch = presque::store::Fetch {
            queue: &work.queue,
            worker: None,
            max_jobs: 1,
        };
        let payload = match turn {
            0 => work.store.show_next(&work.queue).await.unwrap().unwrap().0.payload,
            1 => work.store.take_next(&work.queue).await.unwrap().unwrap().payload,
            _ => match work.store.fetch(fetch).await.unwrap() {
                presque::store::Fetched::Jobs(mut jobs) => jobs.remove(0),
                presque::store::Fetched::Stopped => panic!("the queue is stopped"),
            },
        };
        assert_eq!(payload, b"last", "{turn}");
        if turn == 0 {
            work.store.take_next(&work.queue).await.unwrap();
        }
    }
    work.assert_sound().await;
}

#[tokio::test]
async fn dead_jobs_are_redriven_as_if_they_had_never_failed() {
    let work = Work::start().await;
    let id = work.plain("1").await;
    bury(&work).await;
    let redriven = work
        .store
        .redrive(&work.queue, DeadJobs::Ids(std::slice::from_ref(&id)))
        .await
        .unwrap();
    let expected = Redriven {
        redriven: 1,
        conflicts: 0,
        unknown: 0,
        dead: 0,
    };
    assert_eq!(redriven, expected);
    let (job, _) = work.claim().await;
    assert_eq!((job.id, job.failures, job.lost_leases, job.claims), (id, 0, 0, 2));
    assert_eq!(job.reason, None);
    work.assert_sound().await;
}

#[tokio::test]
async fn no_ids_are_none_of_the_dead_jobs_and_not_all() {
    let work = Work::start().await;
    work.plain("1").await;
    bury(&work).await;
    assert_eq!(
        work.store
            .redrive(&work.queue, DeadJobs::Ids(&[]))
            .await
            .unwrap()
            .redriven,
        0
    );
    assert_eq!(
        work.store
            .purge_dead(&work.queue, DeadJobs::Ids(&[]))
            .await
            .unwrap()
            .removed,
        0
    );
    assert_eq!(
        work.store
            .purge_dead(&work.queue, DeadJobs::First(0))
            .await
            .unwrap()
            .dead,
        1
    );
}

#[tokio::test]
async fn dead_jobs_are_kept_for_a_time_and_up_to_a_number() {
    let mut work = Work::start().await;
    let settings = Settings {
        max_dead: Some(2),
        dead_retain: Some(seconds(100)),
        ..Settings::default()
    };
    work.configure(settings).await;
    let mut ids = Vec::new();
    for payload in ["1", "2", "3"] {
        ids.push(work.plain(payload).await);
        bury(&work).await;
        work.pass(seconds(1)).await;
    }
    assert_eq!(work.state(&ids[0]).await, None, "the oldest made room");
    assert_eq!(work.state(&ids[1]).await, Some(State::Dead));
    work.pass(seconds(98)).await;
    assert_eq!(work.state(&ids[1]).await, None);
    assert_eq!(work.state(&ids[2]).await, Some(State::Dead));
    let purged = work.store.purge_dead(&work.queue, DeadJobs::First(10)).await.unwrap();
    assert_eq!(
        purged,
        Purged {
            removed: 1,
            unknown: 0,
            dead: 0
        },
        "one is forgotten already"
    );
    work.assert_sound().await;
}
