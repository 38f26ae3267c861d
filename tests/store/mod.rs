//! The store's operations against a real Redis, without Wasm.

mod batch;
mod counts;
mod delete;
mod fetch;
mod insert;
mod workers;

use crate::support::Native;
use presque::queue::QueueName;
use presque::store::{Fetch, Fetched, Insert, Inserted, Store};

fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("a name")
}

/// A job without key or date.
fn job<'a>(queue: &'a QueueName, payload: &'a str) -> Insert<'a> {
    Insert {
        queue,
        payload: payload.as_bytes(),
        unique: None,
        due: None,
        failed: None,
    }
}

async fn insert(store: &Store<Native>, job: Insert<'_>) {
    assert_eq!(store.insert(job).await.unwrap(), Inserted::Stored);
}

/// The next job's payload, `None` when there is none.
async fn fetch(store: &Store<Native>, queue: &QueueName) -> Option<String> {
    let mut jobs = fetch_many(store, queue, 1).await;
    assert!(jobs.len() <= 1);
    jobs.pop()
}

/// The next jobs' payloads.
async fn fetch_many(store: &Store<Native>, queue: &QueueName, most: usize) -> Vec<String> {
    match fetch_as(store, queue, None, most).await {
        Fetched::Jobs(jobs) => jobs.into_iter().map(|job| String::from_utf8(job).unwrap()).collect(),
        Fetched::Stopped => panic!("the queue is stopped"),
    }
}

async fn fetch_as(store: &Store<Native>, queue: &QueueName, worker: Option<&[u8]>, most: usize) -> Fetched {
    store.fetch(Fetch { queue, worker, most }).await.unwrap()
}
