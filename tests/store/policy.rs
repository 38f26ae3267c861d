//! How a queue's permanent readers share its jobs.

use super::{fetch, insert, job, queue};
use crate::support::{Native, NativeStore, Redis, assert_sound};
use presque::queue::{Policy, QueueName};
use presque::store::{Claim, Delete, Store};
use redis::Value;
use std::time::Duration;

async fn policy(store: &Store<Native>, queue: &QueueName) -> Option<Policy> {
    store.counts(queue).await.unwrap().policy
}

/// Claims from a queue that has nothing, and waits a little.
async fn wait(store: &Store<Native>, queue: &QueueName) {
    let claim = Claim {
        queues: std::slice::from_ref(queue),
        max_jobs: 1,
        lease: None,
        worker: None,
        wait: Duration::from_millis(50),
        acks: &[],
    };
    assert!(store.claim(claim).await.unwrap().jobs.is_empty());
}

#[tokio::test]
async fn a_policy_can_be_set_before_the_first_job_and_changed() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    assert_eq!(policy(&store, &q).await, None);
    for set in [Policy::RoundRobin, Policy::Broadcast, Policy::RoundRobin] {
        store.set_policy(&q, set).await.unwrap();
        assert_eq!(policy(&store, &q).await, Some(set));
    }
    let counts = store.counts(&q).await.unwrap();
    assert_eq!(counts.status, None, "it is no queue by that");
    assert_eq!(store.describe(&q).await.unwrap(), None);
    insert(&store, job(&q, "1")).await;
    assert_eq!(policy(&store, &q).await, Some(Policy::RoundRobin));
    assert_eq!(store.queues().await.unwrap().names, [b"q"]);
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_policy_stays_when_the_jobs_go_and_goes_with_the_queue() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "1")).await;
    store.set_policy(&q, Policy::Broadcast).await.unwrap();
    store.delete(&q, Delete::Jobs).await.unwrap();
    assert_eq!(policy(&store, &q).await, Some(Policy::Broadcast));
    store.delete(&q, Delete::Queue).await.unwrap();
    assert_eq!(policy(&store, &q).await, None);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_policy_outlives_the_claims_that_wait_for_a_queue_that_never_was() {
    let redis = Redis::start();
    let store = redis.store().await;
    let (before, after) = (queue("before"), queue("after"));
    wait(&store, &before).await;
    store.set_policy(&before, Policy::RoundRobin).await.unwrap();
    store.set_policy(&after, Policy::RoundRobin).await.unwrap();
    wait(&store, &after).await;
    for name in ["before", "after"] {
        let ttl = redis.run(&format!("PTTL presque:{{{name}}}:meta")).await;
        assert_eq!(ttl, Value::Int(-1), "{name}");
    }
    assert_sound(&redis).await;
}
