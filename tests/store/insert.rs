//! Insert.

use super::work::{Work, seconds};
use super::{Plain, fetch, insert, job, queue, try_insert};
use crate::support::{NativeStore, Redis, assert_sound};
use presque::queue::{State, Timestamp};
use presque::store::{Delete, ListJobs, RedisError};
use redis::Value;

#[tokio::test]
async fn a_small_job_without_options_is_kept_as_its_id_and_its_payload_in_one_place() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "{\"a\":1}")).await;
    let members: Vec<Vec<u8>> = redis.query(&["ZRANGE", "presque:{q}:ready", "0", "-1"]).await;
    assert_eq!(members.len(), 1);
    assert_eq!(&members[0][12..], b"{\"a\":1}");
    assert_eq!(redis.run("EXISTS presque:{q}:jobs").await, Value::Int(0));
}

#[tokio::test]
async fn an_empty_job_and_one_of_more_than_a_kibibyte_have_a_record() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    for payload in [String::new(), "x".repeat(1024), "x".repeat(1025)] {
        insert(&store, job(&q, &payload)).await;
        assert_sound(&redis).await;
    }
    assert_eq!(redis.run("HLEN presque:{q}:jobs").await, Value::Int(2));
    for length in [0, 1024, 1025] {
        assert_eq!(fetch(&store, &q).await.map(|payload| payload.len()), Some(length));
    }
    assert_eq!(redis.run("EXISTS presque:{q}:jobs").await, Value::Int(0));
}

#[tokio::test]
async fn a_compact_job_that_is_looked_at_stays_at_its_place_and_is_the_same_job() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    for payload in ["1", "2", "3"] {
        insert(&store, job(&q, payload)).await;
    }
    let page = ListJobs {
        queue: &q,
        state: State::Ready,
        max_jobs: 10,
        after: None,
        is_newest_first: false,
        has_payloads: true,
    };
    let listed = store.jobs(page).await.unwrap().jobs;
    for job in &listed {
        assert_eq!(store.job(&q, &job.id).await.unwrap().as_ref(), Some(job));
        assert_sound(&redis).await;
    }
    assert_eq!(store.jobs(page).await.unwrap().jobs, listed);
    for payload in ["1", "2", "3"] {
        assert_eq!(fetch(&store, &q).await.as_deref(), Some(payload));
    }
}

#[tokio::test]
async fn one_job_at_a_time_holds_a_unique_key_until_it_is_fetched() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let keyed = |payload| Plain {
        unique: Some(b"k:1\xff"),
        ..job(&q, payload)
    };
    insert(&store, keyed("1")).await;
    assert!(!try_insert(&store, keyed("2")).await.unwrap());
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
    insert(&store, keyed("3")).await;
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("3"));
    assert_eq!(redis.run("EXISTS presque:{q}:unique").await, Value::Int(0));
}

#[tokio::test]
async fn a_scheduled_job_holds_its_unique_key_too() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let due = |seconds| Plain {
        unique: Some(b"k"),
        due: Timestamp::from_epoch_seconds(seconds),
        ..job(&q, "later")
    };
    insert(&store, due(1.0)).await;
    assert!(!try_insert(&store, due(1.0)).await.unwrap());
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("later"));
    insert(&store, due(4e9)).await;
    assert!(!try_insert(&store, due(1.0)).await.unwrap());
}

#[tokio::test]
async fn unique_keys_of_two_queues_never_meet() {
    let redis = Redis::start();
    let store = redis.store().await;
    for name in ["a", "b", "a}:unique", "}"] {
        let q = queue(name);
        let keyed = Plain {
            unique: Some(b"k"),
            ..job(&q, "1")
        };
        insert(&store, keyed).await;
    }
}

#[tokio::test]
async fn the_first_job_lists_its_queue_and_later_ones_send_one_command() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("é b"));
    insert(&store, job(&q, "1")).await;
    insert(&store, job(&q, "2")).await;
    let listed = redis.run("ZRANGE presque:queues 0 -1").await;
    assert_eq!(listed, Value::Array(vec![Value::BulkString("é b".into())]));
    let commands = redis.commands().await;
    // Two scripts are told to the server once, by their text after their hash: insert, and the mark of the list. Each
    // job is in a sorted set, and its queue in the list.
    assert_eq!((commands["evalsha"], commands["eval"], commands["zadd"]), (3, 2, 3));
}

#[tokio::test]
async fn a_server_that_forgot_its_scripts_is_told_again() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "1")).await;
    redis.run("SCRIPT FLUSH").await;
    insert(&store, job(&q, "2")).await;
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_listing_that_failed_is_made_up_for_by_the_next_insert() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    // A key of another type makes the second command fail, as a broken connection would.
    redis.run("SET presque:queues x").await;
    insert(&store, job(&q, "1")).await;
    redis.run("DEL presque:queues").await;
    insert(&store, job(&q, "2")).await;
    assert_eq!(redis.run("ZCARD presque:queues").await, Value::Int(1));
}

#[tokio::test]
async fn a_duplicate_lists_the_queue_that_the_first_insert_did_not() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let keyed = Plain {
        unique: Some(b"k"),
        ..job(&q, "1")
    };
    insert(&store, keyed).await;
    // As if the connection had broken before the queue was listed.
    redis.run("DEL presque:queues").await;
    redis.run("HDEL presque:{q}:meta cataloged").await;
    assert!(!try_insert(&store, keyed).await.unwrap());
    assert_eq!(store.queues().await.unwrap().names, [b"q"]);
}

#[tokio::test]
async fn a_queue_that_the_catalog_has_lost_is_back_there_within_an_hour() {
    let mut work = Work::start().await;
    let names = async |work: &Work| work.store.queues().await.unwrap().names;
    work.plain("1").await;
    // As a failover of the catalog's server may lose it.
    work.redis.run("DEL presque:queues").await;
    work.pass(seconds(3599)).await;
    work.plain("2").await;
    assert!(names(&work).await.is_empty(), "nobody looks so often");
    work.pass(seconds(1)).await;
    work.plain("3").await;
    assert_eq!(names(&work).await, [b"q"]);
    work.plain("4").await;
    work.assert_sound().await;
}

#[tokio::test]
async fn a_full_redis_refuses_inserts_whole_and_can_still_be_emptied() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "1")).await;
    redis.run("CONFIG SET maxmemory 1").await;
    let keyed = Plain {
        unique: Some(b"k"),
        ..job(&q, "2")
    };
    let refused = try_insert(&store, keyed).await.unwrap_err();
    assert!(matches!(refused, RedisError::Full(_)), "{refused}");
    store.delete(&q, Delete::Jobs).await.unwrap();
    redis.run("CONFIG SET maxmemory 0").await;
    assert_sound(&redis).await;
    assert_eq!(fetch(&store, &q).await, None);
}
