//! Many jobs at once, in and out.

use super::{Plain, fetch, fetch_many, insert, job, queue, store_lost_after};
use crate::support::{Native, NativeStore, Redis, assert_sound, eventually};
use presque::queue::{QueueName, Settings, State, Status, Timestamp};
use presque::store::{Claim, Condition, Delete, Effect, Fetch, Fetched, InsertBatch, InsertedBatch, RedisError, Store};
use std::time::Duration;

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

fn bytes(texts: &[String]) -> Vec<&[u8]> {
    texts.iter().map(String::as_bytes).collect()
}

/// Inserts plain jobs at once.
async fn insert_all<R: presque::store::Redis>(
    store: &Store<R>,
    queue: &QueueName,
    jobs: &[String],
) -> Result<InsertedBatch, RedisError> {
    let batch = InsertBatch {
        queue,
        payloads: &bytes(jobs),
        due: None,
    };
    store.insert_batch(batch).await
}

/// Fetches all jobs.
async fn drain(store: &Store<Native>, queue: &QueueName) -> Vec<String> {
    let mut fetched = Vec::new();
    loop {
        let jobs = fetch_many(store, queue, Fetch::MAX_JOBS).await;
        if jobs.is_empty() {
            return fetched;
        }
        fetched.extend(jobs);
    }
}

#[tokio::test]
async fn a_batch_of_a_thousand_is_one_script_and_a_larger_one_comes_in_slices_and_both_keep_their_order() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    // Redis learns the scripts.
    insert_all(&store, &q, &texts(1)).await.unwrap();
    insert_all(&store, &q, &texts(1001)).await.unwrap();
    assert_eq!(drain(&store, &q).await.len(), 1002);
    for (count, scripts) in [(1000, 1), (1001, 2 + 1 + 2), (10_001, 11 + 1 + 11)] {
        insert(&store, job(&q, "first")).await;
        let jobs = texts(count);
        let before = redis.commands().await;
        insert_all(&store, &q, &jobs).await.unwrap();
        let after = redis.commands().await;
        assert_eq!(after["evalsha"] - before["evalsha"], scripts, "{count} jobs");
        assert_eq!(after["eval"], before["eval"]);
        insert(&store, job(&q, "last")).await;
        assert_eq!(store.counts(&q).await.unwrap().ready, count as u64 + 2);
        assert_sound(&redis).await;
        let expected = [&["first".to_owned()], &jobs[..], &["last".to_owned()]].concat();
        assert_eq!(drain(&store, &q).await, expected);
    }
}

#[tokio::test]
async fn a_slice_ends_before_it_has_more_than_a_mebibyte() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let jobs: Vec<String> = [400_000, 400_000, 400_000, 3_000_000, 1]
        .map(|length| "x".repeat(length))
        .into();
    insert_all(&store, &q, &jobs).await.unwrap();
    let staged = redis.commands().await["rpush"];
    // Four slices and the header of the batch.
    assert_eq!(staged, 5);
    let mut fetched = Vec::new();
    while let Some(job) = fetch(&store, &q).await {
        fetched.push(job);
    }
    assert!(fetched == jobs, "in their order, and unchanged");
}

#[tokio::test]
async fn a_large_batch_that_breaks_off_before_it_is_committed_inserts_nothing() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let jobs = texts(3000);
    // Three slices and the commit. Redis does not know the scripts, so the first of each are two commands.
    for commands in 0..6 {
        redis.run("SCRIPT FLUSH").await;
        let lost = store_lost_after(&redis, commands).await;
        let error = insert_all(&lost, &q, &jobs).await.unwrap_err();
        assert_eq!(error.effect(), Effect::NotApplied, "{commands}: {error}");
    }
    assert_eq!(store.queues().await.unwrap().size, 0);
    assert_eq!(fetch(&store, &q).await, None);
    // What was staged is gone within a minute.
    for key in redis.query::<Vec<String>>(&["KEYS", "presque:{q}:staged:*"]).await {
        let left: i64 = redis.query(&["PTTL", &key]).await;
        assert!((1..=60_000).contains(&left), "{key} has {left} ms left");
    }
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_large_batch_that_breaks_off_once_it_is_committed_is_taken_in_by_whoever_asks_for_jobs() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert_all(&store, &q, &texts(1001)).await.unwrap();
    assert_eq!(drain(&store, &q).await.len(), 1001);
    let jobs = texts(3500);
    // Four slices are staged, and the batch is committed; of the slices none is taken in, or some are.
    for commands in 5..9 {
        let lost = store_lost_after(&redis, commands).await;
        assert_eq!(insert_all(&lost, &q, &jobs).await.unwrap(), InsertedBatch::Stored);
        insert(&store, job(&q, "last")).await;
        let expected = [&jobs[..], &["last".to_owned()]].concat();
        assert_eq!(drain(&store, &q).await, expected, "lost after {commands}");
        assert_eq!(redis.query::<i64>(&["EXISTS", "presque:{q}:batches"]).await, 0);
        assert_sound(&redis).await;
    }
}

#[tokio::test]
async fn a_claim_that_waits_gets_jobs_of_a_large_batch_that_broke_off() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert_all(&store, &q, &texts(1001)).await.unwrap();
    drain(&store, &q).await;
    let claim = Claim {
        queues: std::slice::from_ref(&q),
        max_jobs: 1,
        lease: None,
        worker: None,
        wait: Duration::from_secs(60),
        acks: &[],
    };
    let lost = store_lost_after(&redis, 3).await;
    let jobs = texts(2000);
    let (claimed, inserted) = tokio::join!(store.claim(claim), insert_all(&lost, &q, &jobs));
    assert_eq!(inserted.unwrap(), InsertedBatch::Stored);
    assert_eq!(claimed.unwrap().jobs[0].1.payload, b"0");
}

#[tokio::test]
async fn one_payload_over_the_limit_of_its_queue_keeps_a_large_batch_out() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let settings = Settings {
        max_bytes: Some(4),
        ..Settings::default()
    };
    store.configure(&q, &settings, Condition::Always).await.unwrap();
    let mut jobs = texts(2500);
    jobs.push("12345".into());
    assert_eq!(insert_all(&store, &q, &jobs).await.unwrap(), InsertedBatch::TooLarge);
    assert_eq!(fetch(&store, &q).await, None);
    assert_eq!(
        redis
            .query::<Vec<String>>(&["KEYS", "presque:{q}:staged:*"])
            .await
            .len(),
        0
    );
    jobs.pop();
    assert_eq!(insert_all(&store, &q, &jobs).await.unwrap(), InsertedBatch::Stored);
}

#[tokio::test]
async fn deleting_a_queue_deletes_what_is_not_taken_in_yet() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert_all(&store, &q, &texts(1001)).await.unwrap();
    drain(&store, &q).await;
    let lost = store_lost_after(&redis, 3).await;
    insert_all(&lost, &q, &texts(2000)).await.unwrap();
    store.delete(&q, Delete::Jobs).await.unwrap();
    assert_eq!(fetch(&store, &q).await, None);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_full_redis_takes_no_large_batch_and_takes_in_what_it_has_taken() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert_all(&store, &q, &texts(1001)).await.unwrap();
    drain(&store, &q).await;
    let lost = store_lost_after(&redis, 3).await;
    insert_all(&lost, &q, &texts(2000)).await.unwrap();
    redis.run("CONFIG SET maxmemory 1").await;
    let error = insert_all(&store, &q, &texts(3000)).await.unwrap_err();
    assert_eq!(error.effect(), Effect::Full);
    assert_eq!(drain(&store, &q).await, texts(2000));
    redis.run("CONFIG SET maxmemory 0").await;
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
    assert_eq!(store.worker("", b"w", |_| true).await.unwrap().unwrap().processed, 5);
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

#[tokio::test]
async fn a_plain_job_that_waits_takes_160_bytes_of_redis_beyond_its_payload_at_most() {
    const JOBS: usize = 100_000;
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let used = async || {
        let memory: String = redis.query(&["INFO", "memory"]).await;
        let line = memory.lines().find_map(|line| line.strip_prefix("used_memory:"));
        line.expect("the memory").parse::<usize>().expect("a number")
    };
    // What scripts, connections and the first job take.
    insert_all(&store, &q, &texts(1001)).await.unwrap();
    let before = used().await;
    insert_all(&store, &q, &vec!["x".repeat(100); JOBS]).await.unwrap();
    let each = (used().await - before) / JOBS - 100;
    assert!(each <= 160, "{each} bytes");
}

#[tokio::test]
async fn no_later_job_is_handed_out_before_those_of_a_batch_that_waits_to_be_taken_in() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert_all(&store, &q, &texts(1001)).await.unwrap();
    drain(&store, &q).await;
    // Each is a slice, and six are more than one call takes in.
    let large: Vec<String> = (0..6).map(|number| number.to_string().repeat(600_000)).collect();
    let lost = store_lost_after(&redis, 7).await;
    insert_all(&lost, &q, &large).await.unwrap();
    insert(&store, job(&q, "later")).await;
    let fetched = drain(&store, &q).await;
    assert!(
        fetched == [&large[..], &["later".to_owned()]].concat(),
        "in their order"
    );

    let lost = store_lost_after(&redis, 3).await;
    insert_all(&lost, &q, &texts(1001)).await.unwrap();
    let lost = store_lost_after(&redis, 3).await;
    insert_all(&lost, &q, &texts(2000)).await.unwrap();
    insert(&store, job(&q, "later")).await;
    let expected = [texts(1001), texts(2000), vec!["later".to_owned()]].concat();
    assert_eq!(fetch_many(&store, &q, 1000).await, expected[..1000]);
    assert_eq!(fetch_many(&store, &q, 10).await, expected[1000..1010]);
    assert_eq!(drain(&store, &q).await, expected[1010..]);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn jobs_are_there_once_their_batch_is_answered_whatever_another_batch_has_left() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert_all(&store, &q, &texts(1001)).await.unwrap();
    drain(&store, &q).await;
    let jobs = texts(7001);
    let due_later = InsertBatch {
        queue: &q,
        payloads: &bytes(&jobs),
        due: Timestamp::from_epoch_seconds(4_000_000_000.0),
    };
    let lost = store_lost_after(&redis, 9).await;
    lost.insert_batch(due_later).await.unwrap();
    // It waits: a request that asks for a job goes on until it knows that there is none.
    assert_eq!(fetch(&store, &q).await, None);
    let lost = store_lost_after(&redis, 9).await;
    lost.insert_batch(due_later).await.unwrap();
    insert_all(&store, &q, &texts(1001)).await.unwrap();
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("0"));
    assert_sound(&redis).await;
}

#[tokio::test]
async fn looks_see_the_jobs_of_a_batch_that_waits_to_be_taken_in_and_opening_its_queue_wakes_claims() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert_all(&store, &q, &texts(1001)).await.unwrap();
    drain(&store, &q).await;
    store.set_status(&q, Status::Stopped).await.unwrap();
    let lost = store_lost_after(&redis, 3).await;
    insert_all(&lost, &q, &texts(2000)).await.unwrap();
    assert_eq!(store.counts(&q).await.unwrap().ready, 2000);
    let described = store.describe(&q).await.unwrap().unwrap();
    assert!(described.jobs.contains(&(State::Ready, 2000)));
    let claim = Claim {
        queues: std::slice::from_ref(&q),
        max_jobs: 1,
        lease: None,
        worker: None,
        wait: Duration::from_secs(60),
        acks: &[],
    };
    let open = async {
        eventually("a claim waits", async || {
            let blocked: String = redis.query(&["INFO", "clients"]).await;
            blocked.contains("blocked_clients:1").then_some(())
        })
        .await;
        store.set_status(&q, Status::Open).await.unwrap();
    };
    let (claimed, ()) = tokio::join!(store.claim(claim), open);
    assert_eq!(claimed.unwrap().jobs[0].1.payload, b"0");
    assert_sound(&redis).await;
}
