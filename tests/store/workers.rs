//! Workers.

use super::{Plain, insert, job, queue};
use crate::support::{Native, NativeStore};
use crate::support::{Redis, assert_sound};
use presque::queue::QueueName;
use presque::store::{Delete, FailureReport, Fetch, RedisError, Store};

async fn work(store: &Store<Native>, queue: &QueueName, worker: &[u8]) {
    insert(store, job(queue, "1")).await;
    let worker = Some(worker);
    store
        .fetch(Fetch {
            queue,
            worker,
            max_jobs: 1,
        })
        .await
        .unwrap();
    insert(
        store,
        Plain {
            failed: Some(FailureReport { worker }),
            ..job(queue, "1")
        },
    )
    .await;
}

async fn counts(store: &Store<Native>, worker: &[u8]) -> Option<(u64, u64)> {
    let worker = store.worker("", worker, |_| true).await.unwrap()?;
    assert!(worker.started > 1_500_000_000, "{worker:?}");
    Some((worker.processed, worker.failed))
}

#[tokio::test]
async fn a_worker_is_known_while_it_is_registered_and_its_counts_go_with_its_last_queue() {
    let redis = Redis::start();
    let (store, a, b) = (redis.store().await, queue("a"), queue("b"));
    let id = b"w:\xe9";
    assert_eq!(counts(&store, id).await, None);
    store.register(&a, id).await.unwrap();
    store.register(&b, id).await.unwrap();
    assert_eq!(counts(&store, id).await, Some((0, 0)));
    work(&store, &a, id).await;
    work(&store, &a, id).await;
    work(&store, &b, id).await;
    assert_eq!(counts(&store, id).await, Some((3, 3)));
    assert_eq!(store.workers().await.unwrap().names, [id]);
    assert_sound(&redis).await;

    store.unregister(&a, id).await.unwrap();
    assert!(store.queue_workers(&a).await.unwrap().workers.is_empty());
    assert_eq!(store.queue_workers(&b).await.unwrap().workers, [id]);
    assert_eq!(
        counts(&store, id).await,
        Some((3, 3)),
        "what it did on a queue that it left"
    );
    store.unregister(&a, id).await.unwrap();
    assert_eq!(counts(&store, id).await, Some((3, 3)), "once more");

    store.unregister(&b, id).await.unwrap();
    assert_eq!(counts(&store, id).await, None);
    assert!(store.workers().await.unwrap().names.is_empty());
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_worker_that_registers_again_starts_at_zero() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    store.register(&q, b"w").await.unwrap();
    work(&store, &q, b"w").await;
    store.register(&q, b"w").await.unwrap();
    assert_eq!(counts(&store, b"w").await, Some((0, 0)));
    let shown = store.queue_workers(&q).await.unwrap();
    assert_eq!(
        (shown.processed, shown.failed),
        (Some(1), Some(1)),
        "the queue's own counts stay"
    );
}

#[tokio::test]
async fn who_never_registered_is_not_made_known_by_work() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    work(&store, &q, b"w").await;
    store.unregister(&q, b"w").await.unwrap();
    assert_eq!(counts(&store, b"w").await, None);
    assert!(store.queue_workers(&q).await.unwrap().workers.is_empty());
    assert_sound(&redis).await;
}

#[tokio::test]
async fn ten_thousand_workers_of_a_queue_are_shown() {
    let redis = Redis::start();
    let store = redis.store().await;
    let script = "for i = 1, 12000 do redis.call('HSET', KEYS[1], 'w' .. i, 0) end";
    let _: () = redis::cmd("EVAL")
        .arg(script)
        .arg(1)
        .arg("presque:{q}:workers")
        .query_async(&mut redis.connection().await)
        .await
        .unwrap();
    assert_eq!(store.queue_workers(&queue("q")).await.unwrap().workers.len(), 10_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_leaves_its_last_queue_while_it_registers_on_another_stays_listed() {
    let redis = Redis::start();
    let (store, other) = (redis.store().await, redis.store().await);
    let (a, b) = (queue("a"), queue("b"));
    for round in 0..300 {
        let id = format!("w{round}");
        let id = id.as_bytes();
        store.register(&a, id).await.unwrap();
        let (left, came) = tokio::join!(store.unregister(&a, id), other.register(&b, id));
        left.unwrap();
        came.unwrap();
    }
    assert_eq!(store.workers().await.unwrap().size, 300);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_failure_after_the_first_change_does_not_count_as_none() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "1")).await;
    // Keys of another type make the later commands fail, as a broken connection would.
    redis.run("DEL presque:queues").await;
    redis.run("SET presque:queues text").await;
    redis.run("SET presque:workers text").await;
    let failures = [
        store.register(&q, b"w").await,
        store.unregister(&q, b"w").await,
        store.delete(&q, Delete::Jobs).await.map(drop),
    ];
    for failure in failures {
        assert!(matches!(failure, Err(RedisError::Lost(_))), "{failure:?}");
    }
}
