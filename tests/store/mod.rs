//! The store's operations against a real Redis, without Wasm.

mod batch;
mod claim;
mod cluster;
mod counts;
mod delete;
mod durability;
mod endings;
mod fetch;
mod freed;
mod history;
mod in_partitions;
mod insert;
mod lease;
mod legacy;
mod list_jobs;
mod matching;
mod metrics;
mod numbers;
mod orphans;
mod partitions;
mod permissions;
mod policy;
mod rules;
mod settings;
mod show_next;
mod subscribers;
mod take_next;
mod unique;
mod waits;
mod work;
mod workers;

use crate::support::{Native, NativeStore, Redis};
use presque::queue::{Due, Hold, QueueName, Timestamp, Unique};
use presque::store::{FailureReport, Fetch, Fetched, Insert, Inserted, InsertedJob, NewJob, RedisError, Reply, Store};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("a name")
}

/// One job as the presque dialect inserts it.
#[derive(Clone, Copy)]
struct Plain<'a> {
    queue: &'a QueueName,
    payload: &'a [u8],
    unique: Option<&'a [u8]>,
    due: Option<Timestamp>,
    failed: Option<FailureReport<'a>>,
}

/// A job without key or date.
fn job<'a>(queue: &'a QueueName, payload: &'a str) -> Plain<'a> {
    Plain {
        queue,
        payload: payload.as_bytes(),
        unique: None,
        due: None,
        failed: None,
    }
}

/// Inserts a job, and tells whether it is stored: `false` for a duplicate.
async fn try_insert(store: &Store<Native>, job: Plain<'_>) -> Result<bool, RedisError> {
    let hold = Hold::UntilClaimed;
    let new = NewJob {
        payload: job.payload,
        due: job.due.map_or(Due::Now, Due::At),
        unique: job.unique.map(|key| Unique { key, hold }),
        ..NewJob::default()
    };
    let insert = Insert {
        queue: job.queue,
        jobs: &[new],
        failed: job.failed,
        idempotency: None,
    };
    match store.insert(insert).await? {
        Inserted::Jobs(jobs) => Ok(matches!(jobs[..], [InsertedJob::Stored(_)])),
        other => panic!("{other:?}"),
    }
}

async fn insert(store: &Store<Native>, job: Plain<'_>) {
    assert!(try_insert(store, job).await.unwrap());
}

/// The next job's payload, `None` when there is none.
async fn fetch(store: &Store<Native>, queue: &QueueName) -> Option<String> {
    let mut jobs = fetch_many(store, queue, 1).await;
    assert!(jobs.len() <= 1);
    jobs.pop()
}

/// The next jobs' payloads.
async fn fetch_many(store: &Store<Native>, queue: &QueueName, max_jobs: usize) -> Vec<String> {
    match fetch_as(store, queue, None, max_jobs).await {
        Fetched::Jobs(jobs) => jobs.into_iter().map(|job| String::from_utf8(job).unwrap()).collect(),
        Fetched::Stopped => panic!("the queue is stopped"),
    }
}

async fn fetch_as(store: &Store<Native>, queue: &QueueName, worker: Option<&[u8]>, max_jobs: usize) -> Fetched {
    store
        .fetch(Fetch {
            queue,
            worker,
            max_jobs,
        })
        .await
        .unwrap()
}

/// A store whose way to Redis is lost after so many commands.
async fn store_lost_after(redis: &Redis, commands: usize) -> Store<LostAfter> {
    let (native, commands) = (redis.native().await, AtomicUsize::new(commands));
    Store::new(LostAfter { native, commands })
}

/// A way to Redis that is lost after so many commands, and to commands that block at once.
struct LostAfter {
    native: Native,
    commands: AtomicUsize,
}

impl presque::store::Redis for LostAfter {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let left = self
            .commands
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match left {
            Ok(_) => self.native.command(name, args).await,
            Err(_) => Err(RedisError::Unreachable("lost".into())),
        }
    }

    async fn blocking(&self, _name: &str, _args: &[&[u8]], _most: Duration) -> Result<Vec<Reply>, RedisError> {
        Err(RedisError::Unreachable("lost".into()))
    }
}
