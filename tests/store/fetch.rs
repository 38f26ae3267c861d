//! Fetch.

use super::{Plain, fetch, fetch_as, insert, job, queue};
use crate::support::{NativeStore, Redis, eventually};
use presque::queue::Timestamp;
use presque::store::Fetched;
use redis::Value;

#[tokio::test]
async fn jobs_come_out_in_the_order_they_went_in() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    assert_eq!(fetch(&store, &q).await, None);
    for n in 0..10 {
        insert(&store, job(&q, &n.to_string())).await;
    }
    for n in 0..10 {
        assert_eq!(fetch(&store, &q).await, Some(n.to_string()));
    }
    assert_eq!(fetch(&store, &q).await, None);
}

#[tokio::test]
async fn payloads_of_any_bytes_come_out_as_they_went_in() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let payloads: [&[u8]; 5] = [b":", b"3:abc", b"\xff\0\r\n", b"", &[b'x'; 100_000]];
    for payload in payloads {
        for unique in [None, Some(&b"7:k"[..])] {
            for due in [None, Timestamp::from_epoch_seconds(1.0)] {
                let queue = &q;
                let failed = None;
                let job = Plain {
                    queue,
                    payload,
                    unique,
                    due,
                    failed,
                };
                insert(&store, job).await;
                let fetched = fetch_as(&store, queue, None, 1).await;
                assert_eq!(fetched, Fetched::Jobs(vec![payload.to_vec()]), "{unique:?} {due:?}");
            }
        }
    }
}

#[tokio::test]
async fn due_jobs_come_before_waiting_ones_in_the_order_of_their_dates_then_of_their_arrival() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "waiting")).await;
    for (payload, seconds) in [
        ("never", 4e9),
        ("late", 9.0),
        ("first", -5.0),
        ("early", 2.0),
        ("late too", 9.0),
    ] {
        let due = Timestamp::from_epoch_seconds(seconds);
        insert(
            &store,
            Plain {
                due,
                ..job(&q, payload)
            },
        )
        .await;
    }
    for expected in ["first", "early", "late", "late too", "waiting"] {
        assert_eq!(fetch(&store, &q).await.as_deref(), Some(expected));
    }
    assert_eq!(fetch(&store, &q).await, None);
}

#[tokio::test]
async fn a_job_is_not_fetched_before_its_date_by_the_servers_clock() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let now = async || {
        let (seconds, micros): (f64, f64) = redis::from_owned_redis_value(redis.run("TIME").await).unwrap();
        seconds + micros / 1e6
    };
    let date = now().await + 0.3;
    let due = Timestamp::from_epoch_seconds(date);
    insert(
        &store,
        Plain {
            due,
            ..job(&q, "later")
        },
    )
    .await;
    assert_eq!(fetch(&store, &q).await, None);
    eventually("the job is due", async || fetch(&store, &q).await).await;
    assert!(now().await >= date);
}

#[tokio::test]
async fn a_stopped_queue_gives_nothing_and_loses_nothing() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    redis.run("HSET presque:{q}:meta status 0").await;
    let stopped = fetch_as(&store, &q, None, 1).await;
    assert_eq!(stopped, Fetched::Stopped);
    insert(&store, job(&q, "kept")).await;
    let stopped = fetch_as(&store, &q, None, 1).await;
    assert_eq!(stopped, Fetched::Stopped);
    redis.run("HSET presque:{q}:meta status 1").await;
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("kept"));
}

#[tokio::test]
async fn a_fetched_job_is_counted_for_its_queue_and_for_a_registered_worker() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    redis.run("HSET presque:{q}:workers known 0").await;
    for worker in [None, Some(&b"known"[..]), Some(b"unknown")] {
        insert(&store, job(&q, "1")).await;
        fetch_as(&store, &q, worker, 1).await;
        // Nothing there: nothing counted.
        fetch_as(&store, &q, worker, 1).await;
    }
    let count = |text: &str| Value::BulkString(text.into());
    assert_eq!(store.counts(&q).await.unwrap().processed, Some(3));
    assert_eq!(redis.run("HGET presque:{q}:workers known").await, count("1"));
    assert_eq!(redis.run("HEXISTS presque:{q}:workers unknown").await, Value::Int(0));
}

#[tokio::test]
async fn a_fetch_from_a_queue_that_never_was_leaves_nothing_behind() {
    let redis = Redis::start();
    let store = redis.store().await;
    assert_eq!(fetch(&store, &queue("never")).await, None);
    assert_eq!(redis.run("DBSIZE").await, Value::Int(0));
}
