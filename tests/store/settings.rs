//! Settings, and what a queue tells of itself.

use super::work::{Work, seconds};
use presque::queue::{Backoff, Due, Settings, State, Status};
use presque::store::{Condition, Configured, Delete, InsertBatch, Inserted, InsertedBatch, LastMinute, NewJob, Totals};
use std::time::Duration;

#[tokio::test]
async fn a_queue_that_was_never_configured_has_the_documented_defaults() {
    let work = Work::start().await;
    assert_eq!(work.store.describe(&work.queue).await.unwrap(), None);
    work.plain("1").await;
    let settings = work
        .store
        .describe(&work.queue)
        .await
        .unwrap()
        .unwrap()
        .effective
        .settings;
    let expected = Settings {
        lease: Some(seconds(60)),
        max_attempts: Some(25),
        max_lost_leases: Some(10),
        backoff: Some(Backoff::Exponential {
            delay: seconds(1),
            max: seconds(3600),
        }),
        retain: Some(Duration::ZERO),
        dead_retain: Some(seconds(14 * 24 * 3600)),
        max_dead: Some(10_000),
        max_bytes: None,
        is_legacy_leased: false,
        partitions: 1,
        status: Status::Open,
    };
    assert_eq!(settings, expected);
}

#[tokio::test]
async fn settings_are_kept_and_what_is_not_set_has_its_default() {
    let work = Work::start().await;
    let settings = Settings {
        backoff: Some(Backoff::Fixed { delay: seconds(3) }),
        max_bytes: Some(100),
        is_legacy_leased: true,
        status: Status::Stopped,
        ..Settings::default()
    };
    work.configure(settings).await;
    let kept = work
        .store
        .describe(&work.queue)
        .await
        .unwrap()
        .unwrap()
        .effective
        .settings;
    assert_eq!(
        (kept.backoff, kept.max_bytes, kept.is_legacy_leased),
        (settings.backoff, Some(100), true)
    );
    assert_eq!((kept.status, kept.lease), (Status::Stopped, Some(seconds(60))));
    assert_eq!(
        work.store.queues().await.unwrap().names,
        [b"q"],
        "it is listed before its first job"
    );
    work.assert_sound().await;
}

#[tokio::test]
async fn settings_are_changed_only_under_their_condition() {
    let work = Work::start().await;
    let configure = async |condition| {
        let settings = Settings::default();
        work.store.configure(&work.queue, &settings, condition).await.unwrap()
    };
    assert_eq!(configure(Condition::Exists).await, Configured::Mismatch);
    assert_eq!(
        configure(Condition::Tag("0123456789abcdef")).await,
        Configured::Mismatch
    );
    let Configured::Created(created) = configure(Condition::Absent).await else {
        panic!("not created");
    };
    assert_eq!(
        work.store.describe(&work.queue).await.unwrap().unwrap().effective.tag,
        created.tag
    );
    assert_eq!(configure(Condition::Absent).await, Configured::Mismatch);
    assert_eq!(configure(Condition::Exists).await, Configured::Changed(created.clone()));
    work.store.set_status(&work.queue, Status::Stopped).await.unwrap();
    assert_eq!(
        configure(Condition::Tag(&created.tag)).await,
        Configured::Mismatch,
        "stopping changes the settings"
    );
}

#[tokio::test]
async fn a_queue_is_removed_only_under_its_condition() {
    let work = Work::start().await;
    let remove = async |condition| {
        work.store
            .delete_if(&work.queue, Delete::Queue, condition)
            .await
            .unwrap()
            .is_some()
    };
    assert!(!remove(Condition::Exists).await);
    assert!(remove(Condition::Always).await, "a queue that is not there is no error");
    work.plain("1").await;
    assert!(!remove(Condition::Tag("0123456789abcdef")).await);
    let tag = work.store.describe(&work.queue).await.unwrap().unwrap().effective.tag;
    assert!(remove(Condition::Tag(&tag)).await);
    assert_eq!(work.store.counts(&work.queue).await.unwrap().ready, 0);
}

#[tokio::test]
async fn a_full_redis_lets_a_stopped_queue_be_opened() {
    let work = Work::start().await;
    work.plain("1").await;
    work.store.set_status(&work.queue, Status::Stopped).await.unwrap();
    work.redis.run("CONFIG SET maxmemory 1").await;
    work.store.set_status(&work.queue, Status::Open).await.unwrap();
    work.configure(Settings::default()).await;
    assert_eq!(work.claim().await.0.payload, b"1");
}

#[tokio::test]
async fn a_payload_over_the_queues_limit_is_refused_and_nothing_is_stored() {
    let work = Work::start().await;
    work.configure(Settings {
        max_bytes: Some(3),
        ..Settings::default()
    })
    .await;
    let job = |payload| NewJob {
        payload,
        ..NewJob::default()
    };
    let insert = presque::store::Insert {
        queue: &work.queue,
        jobs: &[job(b"123"), job(b"1234")],
        failed: None,
        idempotency: None,
    };
    assert_eq!(work.store.insert(insert).await.unwrap(), Inserted::TooLarge);
    let batch = InsertBatch {
        queue: &work.queue,
        payloads: &[b"123", b"1234"],
        due: None,
    };
    assert_eq!(work.store.insert_batch(batch).await.unwrap(), InsertedBatch::TooLarge);
    assert_eq!(work.store.counts(&work.queue).await.unwrap().ready, 0);
    work.plain("123").await;
}

#[tokio::test]
async fn a_queue_tells_how_many_jobs_are_in_each_state_and_how_old_the_oldest_ready_one_is() {
    let mut work = Work::start().await;
    work.configure(Settings {
        retain: Some(seconds(1000)),
        ..Settings::default()
    })
    .await;
    for due in [seconds(100), seconds(30)] {
        let due = Due::In(due);
        work.insert(NewJob {
            payload: b"later",
            due,
            ..NewJob::default()
        })
        .await;
    }
    for _ in 0..4 {
        work.plain("1").await;
    }
    let claimed = work.claim_many(3).await;
    work.ack(&claimed[0].receipt().unwrap()).await;
    work.store.remove(&work.queue, &claimed[1].id).await.unwrap();
    work.pass(seconds(40)).await;
    let description = work.store.describe(&work.queue).await.unwrap().unwrap();
    let expected = [
        (State::Ready, 2),
        (State::Scheduled, 1),
        (State::Active, 1),
        (State::Done, 1),
        (State::Dead, 0),
        (State::Cancelled, 1),
    ];
    assert_eq!(description.jobs, expected);
    assert_eq!(description.oldest_ready, Some(seconds(40)));
    assert_eq!(description.workers, 1);
    let totals = Totals {
        inserted: 6,
        orphans: 0,
        claimed: 3,
        done: 1,
        failed: 0,
        lost_leases: 0,
        dead: 0,
        released: 0,
    };
    assert_eq!(description.totals, totals);
    let last_minute = LastMinute {
        inserted: 6,
        claimed: 3,
        done: 1,
        failed: 0,
    };
    assert_eq!(description.last_minute, last_minute);
    // A due job has been ready since its date, also when a claim has moved it.
    work.claim_many(0).await;
    let fetch = presque::store::Fetch {
        queue: &work.queue,
        worker: None,
        max_jobs: 1,
    };
    work.store.peek(&work.queue).await.unwrap();
    work.store.fetch(fetch).await.unwrap();
    work.pass(seconds(70)).await;
    let description = work.store.describe(&work.queue).await.unwrap().unwrap();
    assert_eq!(description.oldest_ready, Some(seconds(110)));
    assert_eq!(description.last_minute.inserted, 0, "only the last minute counts");
}

#[tokio::test]
async fn a_queue_that_is_removed_has_lost_its_settings_and_its_ids_are_never_used_again() {
    let work = Work::start().await;
    work.configure(Settings {
        status: Status::Stopped,
        ..Settings::default()
    })
    .await;
    let before = work.plain("1").await;
    work.store.delete(&work.queue, Delete::Queue).await.unwrap();
    assert_eq!(work.store.describe(&work.queue).await.unwrap(), None);
    assert_eq!(work.store.queues().await.unwrap().size, 0);
    let after = work.plain("2").await;
    assert!(after > before);
    assert_eq!(work.claim().await.0.payload, b"2", "it is open again");
    work.assert_sound().await;
}

#[tokio::test]
async fn deleting_the_jobs_of_a_queue_makes_every_receipt_stale() {
    let work = Work::start().await;
    work.plain("1").await;
    let (_, receipt) = work.claim().await;
    work.store.delete(&work.queue, Delete::Jobs).await.unwrap();
    work.plain("2").await;
    work.claim().await;
    assert_eq!(work.ack(&receipt).await, presque::store::Acked::Stale);
    work.assert_sound().await;
}
