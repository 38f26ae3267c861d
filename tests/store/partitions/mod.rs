//! Queues with several partitions.

mod faults;
mod keys;
mod looks;
mod number;
mod random;
mod work;

use crate::support::{Native, NativeStore, Redis};
use presque::queue::{Hold, JobId, QueueName, Settings, Unique};
use presque::store::{Claim, Condition, Configured, Idempotency, Insert, Inserted, InsertedJob, Job, NewJob, Store};
use std::time::Duration;

/// A queue, and a store that knows it from the beginning.
struct Spread {
    redis: Redis,
    store: Store<Native>,
    queue: QueueName,
}

impl Spread {
    async fn over(partitions: u8) -> Self {
        let redis = Redis::start();
        let store = Store::apart(redis.native().await);
        let spread = Self {
            redis,
            store,
            queue: super::queue("q"),
        };
        spread.set(partitions).await;
        spread
    }

    /// A store of another instance, which knows nothing yet.
    async fn other(&self) -> Store<Native> {
        Store::apart(self.redis.native().await)
    }

    async fn set(&self, partitions: u8) {
        set(&self.store, &self.queue, partitions).await;
    }

    async fn plain(&self, payload: &str) -> JobId {
        stored(insert(&self.store, &self.queue, &[job(payload)]).await[0].clone())
    }

    async fn claim(&self, max_jobs: usize) -> Vec<Job> {
        claim(&self.store, &self.queue, max_jobs).await
    }

    /// Claims until there is nothing any more.
    async fn claim_all(&self) -> Vec<Job> {
        let mut all = Vec::new();
        loop {
            let jobs = self.claim(100).await;
            if jobs.is_empty() {
                return all;
            }
            all.extend(jobs);
        }
    }

    async fn assert_sound(&self) {
        crate::support::assert_sound(&self.redis).await;
    }

    /// How many scripts ran on the server so far.
    async fn scripts(&self) -> i64 {
        let commands = self.redis.commands().await;
        commands.get("evalsha").copied().unwrap_or_default()
    }
}

async fn set(store: &Store<Native>, queue: &QueueName, partitions: u8) {
    let settings = Settings {
        partitions,
        ..Settings::default()
    };
    let configured = store.configure(queue, &settings, Condition::Always).await.unwrap();
    assert!(!matches!(configured, Configured::Mismatch));
}

fn job(payload: &str) -> NewJob<'_> {
    NewJob {
        payload: payload.as_bytes(),
        ..NewJob::default()
    }
}

/// A job that holds its key until it has ended.
fn keyed(key: &str) -> NewJob<'_> {
    let (key, hold) = (key.as_bytes(), Hold::UntilEnded);
    NewJob {
        unique: Some(Unique { key, hold }),
        ..job("1")
    }
}

async fn insert(store: &Store<Native>, queue: &QueueName, jobs: &[NewJob<'_>]) -> Vec<InsertedJob> {
    match insert_named(store, queue, jobs, None).await {
        Inserted::Jobs(jobs) => jobs,
        other => panic!("{other:?}"),
    }
}

async fn insert_named(store: &Store<Native>, queue: &QueueName, jobs: &[NewJob<'_>], name: Option<&str>) -> Inserted {
    let insert = Insert {
        queue,
        jobs,
        failed: None,
        idempotency: name.map(|name| Idempotency {
            key: name.as_bytes(),
            fingerprint: b"the same",
        }),
    };
    store.insert(insert).await.unwrap()
}

fn stored(job: InsertedJob) -> JobId {
    match job {
        InsertedJob::Stored(id) => id,
        InsertedJob::Duplicate(id) => panic!("a duplicate of {id}"),
    }
}

async fn claim(store: &Store<Native>, queue: &QueueName, max_jobs: usize) -> Vec<Job> {
    let claim = Claim {
        queues: std::slice::from_ref(queue),
        max_jobs,
        lease: None,
        worker: None,
        wait: Duration::ZERO,
        acks: &[],
    };
    let claimed = store.claim(claim).await.unwrap();
    claimed.jobs.into_iter().map(|(_, job)| job).collect()
}

fn payload(job: &Job) -> String {
    String::from_utf8(job.payload.clone()).unwrap()
}

/// A number of partitions of each id.
fn partitions(ids: &[JobId]) -> Vec<u8> {
    let mut partitions: Vec<u8> = ids.iter().map(JobId::partition).collect();
    partitions.sort_unstable();
    partitions.dedup();
    partitions
}
