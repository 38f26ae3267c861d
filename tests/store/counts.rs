//! Counts, status, peek and the list of queues.

use super::{Plain, fetch, insert, job, queue};
use crate::support::{NativeStore, Redis, assert_sound};
use presque::queue::{Status, Timestamp};
use presque::store::{Counts, FailureReport, NameList};

#[tokio::test]
async fn a_queue_that_never_was_has_no_counts() {
    let redis = Redis::start();
    let store = redis.store().await;
    let none = Counts {
        ready: 0,
        processed: None,
        failed: None,
        status: None,
        policy: None,
    };
    assert_eq!(store.counts(&queue("never")).await.unwrap(), none);
}

#[tokio::test]
async fn sizes_count_due_jobs_and_not_those_that_are_not_due() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "1")).await;
    for seconds in [1.0, 4e9] {
        insert(
            &store,
            Plain {
                due: Timestamp::from_epoch_seconds(seconds),
                ..job(&q, "2")
            },
        )
        .await;
    }
    insert(
        &store,
        Plain {
            failed: Some(FailureReport { worker: None }),
            ..job(&q, "3")
        },
    )
    .await;
    fetch(&store, &q).await;
    let counts = Counts {
        ready: 2,
        processed: Some(1),
        failed: Some(1),
        status: Some(Status::Open),
        policy: None,
    };
    assert_eq!(store.counts(&q).await.unwrap(), counts);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_queue_can_be_stopped_before_its_first_job_and_stays_so() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    store.set_status(&q, Status::Stopped).await.unwrap();
    insert(&store, job(&q, "1")).await;
    assert_eq!(store.counts(&q).await.unwrap().status, Some(Status::Stopped));
    store.set_status(&q, Status::Open).await.unwrap();
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
}

#[tokio::test]
async fn peek_shows_jobs_in_the_order_of_fetch_and_takes_none() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    for number in 0..50 {
        let due = Timestamp::from_epoch_seconds(f64::from(number) + 1.0).filter(|_| number < 25);
        insert(
            &store,
            Plain {
                due,
                ..job(&q, &number.to_string())
            },
        )
        .await;
    }
    let peeked = store.peek(&q).await.unwrap();
    let expected: Vec<_> = (0..50).map(|number| number.to_string().into_bytes()).collect();
    assert_eq!((peeked.ready, peeked.jobs), (50, expected));
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("0"));
}

#[tokio::test]
async fn peek_shows_a_thousand_jobs_at_most_and_four_mebibytes_but_always_one() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    for _ in 0..1010 {
        insert(&store, job(&q, "1")).await;
    }
    assert_eq!(store.peek(&q).await.unwrap().jobs.len(), 1000);
    let large = queue("large");
    let payload = "x".repeat(3 * 1024 * 1024 / 2);
    for _ in 0..3 {
        insert(&store, job(&large, &payload)).await;
    }
    let peeked = store.peek(&large).await.unwrap();
    assert_eq!((peeked.ready, peeked.jobs.len()), (3, 2));
    let huge = queue("huge");
    insert(&store, job(&huge, &"x".repeat(5 * 1024 * 1024))).await;
    assert_eq!(store.peek(&huge).await.unwrap().jobs.len(), 1);
}

#[tokio::test]
async fn ten_thousand_queues_are_listed_and_all_are_counted() {
    let redis = Redis::start();
    let store = redis.store().await;
    // As a hundred thousand first jobs would have listed them.
    let script = "for i = 1, 100000 do redis.call('ZADD', KEYS[1], 0, string.format('q%06d', i)) end";
    let _: () = redis::cmd("EVAL")
        .arg(script)
        .arg(1)
        .arg("presque:queues")
        .query_async(&mut redis.connection().await)
        .await
        .unwrap();
    let listed = store.queues().await.unwrap();
    assert_eq!((listed.size, listed.names.len()), (100_000, NameList::MAX_NAMES));
    assert_eq!(listed.names[0], b"q000001");
}
