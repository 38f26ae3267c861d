//! The store's operations against a real Redis, without Wasm.

mod fetch;
mod insert;

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
    }
}

async fn insert(store: &Store<Native>, job: Insert<'_>) {
    assert_eq!(store.insert(job).await.unwrap(), Inserted::Stored);
}

/// The next job's payload, `None` when there is none.
async fn fetch(store: &Store<Native>, queue: &QueueName) -> Option<String> {
    match store.fetch(Fetch { queue, worker: None }).await.unwrap() {
        Fetched::Job(payload) => Some(String::from_utf8(payload).unwrap()),
        Fetched::Empty => None,
        Fetched::Stopped => panic!("the queue is stopped"),
    }
}
