//! What the tests of leases do again and again.

use crate::support::{Clock, Clocked, NativeStore, Redis};
use presque::queue::{JobId, QueueName, Receipt, Settings, State};
use presque::store::{
    Ack, Acked, Claim, Condition, Extend, Extended, Insert, Inserted, InsertedJob, Job, Nack, NackKind, Nacked, NewJob,
    Store,
};
use std::time::Duration;

/// A second, and more of them.
pub(super) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A queue with a clock, as a test works with it.
pub(super) struct Work {
    pub redis: Redis,
    pub store: Store<Clocked>,
    pub clock: Clock,
    pub queue: QueueName,
    /// How many partitions the queue has.
    partitions: u8,
}

impl Work {
    pub(super) async fn start() -> Self {
        let redis = Redis::start();
        let (store, clock) = redis.store_with_clock().await;
        let queue = super::queue("q");
        let is_spread = std::thread::current()
            .name()
            .is_some_and(|test| test.contains("in_partitions"));
        let work = Self {
            redis,
            store,
            clock,
            queue,
            partitions: if is_spread { 3 } else { 1 },
        };
        if is_spread {
            work.configure(Settings::default()).await;
        }
        work
    }

    pub(super) async fn pass(&mut self, duration: Duration) {
        self.clock.pass(duration).await;
    }

    pub(super) async fn try_insert(&self, job: NewJob<'_>) -> InsertedJob {
        let insert = Insert {
            queue: &self.queue,
            jobs: &[job],
            failed: None,
            idempotency: None,
        };
        match self.store.insert(insert).await.unwrap() {
            Inserted::Jobs(mut jobs) => jobs.remove(0),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn insert(&self, job: NewJob<'_>) -> JobId {
        match self.try_insert(job).await {
            InsertedJob::Stored(id) => id,
            duplicate @ InsertedJob::Duplicate(_) => panic!("{duplicate:?}"),
        }
    }

    /// Inserts a job without options.
    pub(super) async fn plain(&self, payload: &str) -> JobId {
        let payload = payload.as_bytes();
        self.insert(NewJob {
            payload,
            ..NewJob::default()
        })
        .await
    }

    pub(super) async fn claim_many(&self, max_jobs: usize) -> Vec<Job> {
        let claim = Claim {
            queues: std::slice::from_ref(&self.queue),
            max_jobs,
            lease: None,
            worker: Some(b"w"),
            wait: Duration::ZERO,
            acks: &[],
        };
        let claimed = self.store.claim(claim).await.unwrap();
        claimed.jobs.into_iter().map(|(_, job)| job).collect()
    }

    pub(super) async fn try_claim(&self) -> Option<Job> {
        self.claim_many(1).await.pop()
    }

    pub(super) async fn claim(&self) -> (Job, Receipt) {
        let job = self.try_claim().await.expect("a job");
        let receipt = job.receipt().expect("a receipt");
        (job, receipt)
    }

    pub(super) async fn ack(&self, receipt: &Receipt) -> Acked {
        let ack = Ack { receipt, result: None };
        self.store.ack(&self.queue, &[ack]).await.unwrap()[0]
    }

    pub(super) async fn nack(&self, receipt: &Receipt, delay: Option<Duration>) -> Nacked {
        let nack = Nack {
            receipt,
            error: "boom",
            delay,
            kind: NackKind::Failed,
        };
        self.store.nack(&self.queue, &[nack]).await.unwrap()[0]
    }

    pub(super) async fn extend(&self, receipt: &Receipt, lease: Option<Duration>) -> Extended {
        let progress = None;
        let extend = Extend {
            receipt,
            lease,
            progress,
        };
        self.store.extend(&self.queue, &[extend]).await.unwrap()[0]
    }

    pub(super) async fn look(&self, id: &JobId) -> Option<Job> {
        self.store.job(&self.queue, id).await.unwrap()
    }

    pub(super) async fn state(&self, id: &JobId) -> Option<State> {
        self.look(id).await.map(|job| job.state)
    }

    pub(super) async fn configure(&self, settings: Settings) {
        let partitions = self.partitions;
        let settings = Settings { partitions, ..settings };
        let configured = self.store.configure(&self.queue, &settings, Condition::Always).await;
        configured.unwrap();
    }

    pub(super) async fn assert_sound(&self) {
        crate::support::assert_sound(&self.redis).await;
    }
}
