//! Many jobs at once, in and out.

use super::{Plain, fetch, fetch_many, insert, job, queue};
use crate::support::{NativeStore, Redis, assert_sound};
use presque::queue::Timestamp;
use presque::store::{Fetch, Fetched, InsertBatch};

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

fn bytes(texts: &[String]) -> Vec<&[u8]> {
    texts.iter().map(String::as_bytes).collect()
}

#[tokio::test]
async fn a_batch_of_any_size_keeps_its_order_and_is_one_script() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "first")).await;
    let jobs = texts(10_001);
    let before = redis.commands().await;
    let batch = InsertBatch {
        queue: &q,
        payloads: &bytes(&jobs),
        due: None,
    };
    store.insert_batch(batch).await.unwrap();
    let after = redis.commands().await;
    assert_eq!(
        after["eval"] - before["eval"],
        1,
        "one script, sent by its text the first time"
    );
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("first"));
    let mut fetched = Vec::new();
    loop {
        let jobs = fetch_many(&store, &q, Fetch::MAX_JOBS).await;
        if jobs.is_empty() {
            break;
        }
        fetched.extend(jobs);
    }
    assert_eq!(fetched, jobs);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_batch_with_a_date_keeps_its_order_too() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let jobs = texts(300);
    let due = Timestamp::from_epoch_seconds(5.0);
    let batch = InsertBatch {
        queue: &q,
        payloads: &bytes(&jobs),
        due,
    };
    store.insert_batch(batch).await.unwrap();
    assert_sound(&redis).await;
    assert_eq!(fetch_many(&store, &q, 1000).await, jobs);
}

#[tokio::test]
async fn a_batch_takes_due_jobs_then_waiting_ones_and_frees_their_unique_keys() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let keyed = |payload, unique| Plain {
        unique: Some(unique),
        ..job(&q, payload)
    };
    insert(&store, keyed("a", b"1")).await;
    insert(&store, job(&q, "b")).await;
    insert(
        &store,
        Plain {
            due: Timestamp::from_epoch_seconds(1.0),
            ..keyed("due", b"2")
        },
    )
    .await;
    insert(&store, keyed("c", b"3")).await;
    assert_eq!(fetch_many(&store, &q, 3).await, ["due", "a", "b"]);
    assert_sound(&redis).await;
    insert(&store, keyed("d", b"1")).await;
    assert_eq!(fetch_many(&store, &q, 10).await, ["c", "d"]);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_batch_of_large_jobs_is_cut_short_and_loses_none() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let large = "x".repeat(3 * 1024 * 1024 / 2);
    for _ in 0..5 {
        insert(&store, job(&q, &large)).await;
    }
    // No more once there are 4 MiB.
    assert_eq!(fetch_many(&store, &q, 5).await.len(), 3);
    assert_eq!(fetch_many(&store, &q, 5).await.len(), 2);
}

#[tokio::test]
async fn each_job_of_a_batch_counts() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    store.register(&q, b"w").await.unwrap();
    let jobs = texts(7);
    let batch = InsertBatch {
        queue: &q,
        payloads: &bytes(&jobs),
        due: None,
    };
    store.insert_batch(batch).await.unwrap();
    let fetch = Fetch {
        queue: &q,
        worker: Some(b"w"),
        max_jobs: 5,
    };
    assert!(matches!(store.fetch(fetch).await.unwrap(), Fetched::Jobs(jobs) if jobs.len() == 5));
    assert_eq!(store.counts(&q).await.unwrap().processed, Some(5));
    assert_eq!(store.worker(b"w").await.unwrap().unwrap().processed, 5);
}

#[tokio::test]
async fn no_jobs_are_no_error_and_make_no_queue() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let batch = InsertBatch {
        queue: &q,
        payloads: &[],
        due: None,
    };
    store.insert_batch(batch).await.unwrap();
    assert_eq!(store.queues().await.unwrap().size, 0);
}
