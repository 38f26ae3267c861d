//! Insert.

use super::{Plain, fetch, insert, job, queue, try_insert};
use crate::support::{NativeStore, Redis, assert_sound};
use presque::queue::Timestamp;
use presque::store::{Delete, RedisError};
use redis::Value;

#[tokio::test]
async fn a_job_without_options_is_kept_as_its_payload_and_one_byte() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "{\"a\":1}")).await;
    let records = redis.run("HVALS presque:{q}:jobs").await;
    assert_eq!(records, Value::Array(vec![Value::BulkString(b":{\"a\":1}".into())]));
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
