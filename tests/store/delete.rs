//! Delete.

use super::{Plain, fetch, insert, job, queue};
use crate::support::{NativeStore, Redis, assert_sound};
use presque::queue::{Status, Timestamp};
use presque::store::{Counts, Delete};

#[tokio::test]
async fn a_deleted_queue_has_lost_all_but_its_status() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(
        &store,
        Plain {
            unique: Some(b"k"),
            ..job(&q, "1")
        },
    )
    .await;
    insert(
        &store,
        Plain {
            due: Timestamp::from_epoch_seconds(4e9),
            ..job(&q, "2")
        },
    )
    .await;
    fetch(&store, &q).await;
    insert(
        &store,
        Plain {
            unique: Some(b"k"),
            ..job(&q, "3")
        },
    )
    .await;
    store.set_status(&q, Status::Stopped).await.unwrap();
    store.delete(&q, Delete::Jobs).await.unwrap();
    let nothing = Counts {
        ready: 0,
        processed: None,
        failed: None,
        status: Some(Status::Stopped),
        policy: None,
    };
    assert_eq!(store.counts(&q).await.unwrap(), nothing);
    assert_eq!(store.queues().await.unwrap().size, 0);
    store.set_status(&q, Status::Open).await.unwrap();
    insert(
        &store,
        Plain {
            unique: Some(b"k"),
            ..job(&q, "4")
        },
    )
    .await;
    assert_eq!(store.queues().await.unwrap().names, [b"q"]);
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("4"));
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_queue_that_never_was_can_be_deleted_and_leaves_nothing() {
    let redis = Redis::start();
    let store = redis.store().await;
    store.delete(&queue("never"), Delete::Jobs).await.unwrap();
    assert_eq!(redis.run("DBSIZE").await, redis::Value::Int(0));
}

#[tokio::test]
async fn the_memory_of_a_deleted_queue_is_freed_in_the_background() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "1")).await;
    let before = redis.commands().await;
    store.delete(&q, Delete::Jobs).await.unwrap();
    let after = redis.commands().await;
    assert!(after["unlink"] > *before.get("unlink").unwrap_or(&0));
    assert_eq!(after.get("del"), before.get("del"));
}
