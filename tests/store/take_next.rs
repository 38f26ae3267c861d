//! Taking and showing the next job alone.

use super::work::{Work, seconds};
use crate::support::NativeStore;
use presque::queue::{Due, Hold, Priority, QueueName, Status, Unique};
use presque::store::{DeathReason, Fetch, Fetched, NewJob, Redis, Store};

/// The next job's payload, taken.
pub(super) async fn take(work: &Work) -> Option<String> {
    let taken = work.store.take_next(&work.queue).await.unwrap()?;
    Some(String::from_utf8(taken.payload).unwrap())
}

/// The next job's number, shown, and how often it was.
pub(super) async fn show(work: &Work) -> Option<(u64, u64)> {
    let (shown, count) = work.store.show_next(&work.queue).await.unwrap()?;
    Some((shown.id.number(), count))
}

async fn processed<R: Redis>(store: &Store<R>, queue: &QueueName) -> Option<u64> {
    store.counts(queue).await.unwrap().processed
}

/// A job whose payload stands for a text.
pub(super) fn text(payload: &str) -> NewJob<'_> {
    NewJob {
        payload: payload.as_bytes(),
        is_text: true,
        ..NewJob::default()
    }
}

/// A job that expires after five seconds.
pub(super) fn short(payload: &str) -> NewJob<'_> {
    NewJob {
        payload: payload.as_bytes(),
        expires_in: Some(seconds(5)),
        ..NewJob::default()
    }
}

#[tokio::test]
async fn jobs_are_taken_in_the_order_of_a_fetch_and_leave_nothing() {
    let mut work = Work::start().await;
    assert_eq!(take(&work).await, None);
    let plain = work.plain("1").await;
    for (payload, priority, due) in [
        (&b"urgent"[..], 9, Due::Now),
        (b"due", 4, Due::In(seconds(1))),
        (b"later", 9, Due::In(seconds(60))),
    ] {
        work.insert(NewJob {
            payload,
            due,
            priority: Priority::new(priority).unwrap(),
            ..NewJob::default()
        })
        .await;
    }
    work.pass(seconds(1)).await;
    assert_eq!(take(&work).await.as_deref(), Some("urgent"));
    assert_eq!(take(&work).await.as_deref(), Some("due"));
    let taken = work.store.take_next(&work.queue).await.unwrap().unwrap();
    assert_eq!((taken.id, taken.is_text), (plain, false));
    assert_eq!(take(&work).await, None, "what is not due yet is not there");
    assert_eq!(work.look(&plain).await, None);
    assert_eq!(processed(&work.store, &work.queue).await, Some(3));
    work.assert_sound().await;
}

#[tokio::test]
async fn a_stopped_queue_gives_its_next_job_to_who_takes_or_shows_it_alone() {
    let work = Work::start().await;
    work.plain("1").await;
    work.store.set_status(&work.queue, Status::Stopped).await.unwrap();
    assert_eq!(show(&work).await, Some((1, 1)));
    assert_eq!(take(&work).await.as_deref(), Some("1"));
    assert_eq!(show(&work).await, None);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_queue_that_never_was_has_no_next_job_and_nothing_is_left_behind() {
    let redis = crate::support::Redis::start();
    let (store, q) = (redis.store().await, super::queue("never"));
    assert_eq!(store.take_next(&q).await.unwrap(), None);
    assert_eq!(store.show_next(&q).await.unwrap(), None);
    assert!(!store.remove_number(&q, 1).await.unwrap());
    assert!(store.newest(&q, 10).await.unwrap().numbers.is_empty());
    assert_eq!(redis.run("DBSIZE").await, redis::Value::Int(0));
}

#[tokio::test]
async fn expired_jobs_are_dead_and_any_number_of_them_is_passed_over() {
    for shown in [false, true] {
        let mut work = Work::start().await;
        let mut ids = Vec::new();
        for _ in 0..230 {
            ids.push(work.insert(short("short")).await);
        }
        work.pass(seconds(5)).await;
        assert_eq!(show(&work).await, None, "there are only expired ones");
        let last = work.insert(short("last")).await;
        if shown {
            assert_eq!(show(&work).await, Some((last.number(), 1)));
        }
        let taken = work.store.take_next(&work.queue).await.unwrap();
        assert_eq!(taken.unwrap().id, last);
        for id in [&ids[0], &ids[229]] {
            let reason = work.look(id).await.unwrap().reason;
            assert_eq!(reason, Some(DeathReason::Expired));
        }
        assert_eq!(processed(&work.store, &work.queue).await, Some(1));
        work.assert_sound().await;
    }
}

#[tokio::test]
async fn large_expired_jobs_do_not_hide_the_one_behind_them() {
    let mut work = Work::start().await;
    let large = "x".repeat(3 * 1024 * 1024);
    for shown in [false, true] {
        for _ in 0..3 {
            work.insert(short(&large)).await;
        }
        work.pass(seconds(5)).await;
        work.plain("behind").await;
        if shown {
            assert!(show(&work).await.is_some());
        }
        assert_eq!(take(&work).await.as_deref(), Some("behind"));
    }
}

#[tokio::test]
async fn what_time_has_changed_is_done_before_the_next_job_is_taken_or_shown() {
    for shown in [false, true] {
        let mut work = Work::start().await;
        let lost = work.plain("lost").await;
        let (_, receipt) = work.claim().await;
        work.plain("2").await;
        work.pass(seconds(60)).await;
        if shown {
            assert_eq!(show(&work).await, Some((lost.number(), 1)));
            assert_eq!(work.look(&lost).await.unwrap().lost_leases, 1);
        }
        assert_eq!(take(&work).await.as_deref(), Some("lost"));
        assert_eq!(work.ack(&receipt).await, presque::store::Acked::Stale);
        work.assert_sound().await;
    }
}

#[tokio::test]
async fn a_text_is_told_as_such_and_is_a_job_like_any_other_to_who_claims_or_fetches() {
    let mut work = Work::start().await;
    let job = text(r#""a b""#);
    let id = work.insert(job).await;
    let (shown, _) = work.store.show_next(&work.queue).await.unwrap().unwrap();
    assert!(shown.is_text);
    let taken = work.store.take_next(&work.queue).await.unwrap().unwrap();
    assert_eq!(
        (&taken.id, &*taken.payload, taken.is_text),
        (&id, &br#""a b""#[..], true)
    );

    work.insert(job).await;
    let (claimed, receipt) = work.claim().await;
    assert_eq!(
        (&*claimed.payload, claimed.metadata, claimed.unique),
        (&br#""a b""#[..], None, None)
    );
    work.nack(&receipt, Some(seconds(1))).await;
    work.pass(seconds(1)).await;
    let taken = work.store.take_next(&work.queue).await.unwrap().unwrap();
    assert!(taken.is_text, "it stays one when it comes back");

    work.insert(job).await;
    let fetch = Fetch {
        queue: &work.queue,
        worker: None,
        max_jobs: 1,
    };
    let fetched = work.store.fetch(fetch).await.unwrap();
    assert_eq!(fetched, Fetched::Jobs(vec![br#""a b""#.to_vec()]));
    work.assert_sound().await;
}

#[tokio::test]
async fn a_taken_job_has_released_its_unique_key_unless_that_is_held_for_a_time() {
    let work = Work::start().await;
    for (hold, released) in [
        (Hold::UntilClaimed, true),
        (Hold::UntilEnded, true),
        (Hold::For(seconds(60)), false),
    ] {
        let unique = Some(Unique { key: b"k", hold });
        let job = NewJob {
            payload: b"1",
            unique,
            ..NewJob::default()
        };
        work.insert(job).await;
        take(&work).await.unwrap();
        let again = matches!(work.try_insert(job).await, presque::store::InsertedJob::Stored(_));
        assert_eq!(again, released, "{hold:?}");
        take(&work).await;
    }
    work.assert_sound().await;
}

#[tokio::test]
async fn when_redis_is_full_the_next_job_can_be_shown_taken_and_removed() {
    let work = Work::start().await;
    for payload in ["1", "2"] {
        work.plain(payload).await;
    }
    work.redis.run("CONFIG SET maxmemory 1").await;
    assert_eq!(show(&work).await, Some((1, 1)));
    assert!(work.store.remove_number(&work.queue, 1).await.unwrap());
    assert_eq!(take(&work).await.as_deref(), Some("2"));
    work.redis.run("CONFIG SET maxmemory 0").await;
    work.assert_sound().await;
}
