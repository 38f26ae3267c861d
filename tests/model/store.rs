//! The same calls, made to the store.

use super::call::{self, Bytes, Call, Outcome, QUEUES};
use super::manage::manage;
use presque::queue::{JobId, Priority, QueueName, Receipt, Timestamp, Unique};
use presque::store::{
    Ack, Claim, Dead, Extend, Failed, Fetch, Idempotency, Insert, InsertBatch, Nack, NewJob, Redis, RedisError, Store,
};
use std::time::Duration;

pub type Answer = Result<Outcome, RedisError>;

/// No call waits for anything but Redis. One that takes longer goes round in circles.
const LONGEST: Duration = Duration::from_secs(10);

pub fn queue(place: usize) -> QueueName {
    QueueName::new(QUEUES[place]).unwrap()
}

pub fn id(text: &str) -> JobId {
    JobId::parse(text).unwrap()
}

fn receipt(text: &str) -> Receipt {
    Receipt::parse(text).unwrap()
}

fn bytes(worker: Option<&Bytes>) -> Option<&[u8]> {
    worker.map(|worker| &worker.0[..])
}

fn acks<'a>(acks: &'a [call::Ack], receipts: &'a [Receipt]) -> Vec<Ack<'a>> {
    let ack = |((_, result), receipt): (&'a call::Ack, &'a Receipt)| Ack {
        receipt,
        result: result.as_deref(),
    };
    acks.iter().zip(receipts).map(ack).collect()
}

fn nack<'a>((nack, receipt): (&'a call::Nack, &'a Receipt)) -> Nack<'a> {
    Nack {
        receipt,
        error: &nack.error,
        delay: nack.delay,
        dead: nack.dead,
    }
}

fn extend<'a>((extend, receipt): (&'a call::Extend, &'a Receipt)) -> Extend<'a> {
    Extend {
        receipt,
        lease: extend.lease,
        progress: extend.progress.as_deref(),
    }
}

pub async fn call<R: Redis>(store: &Store<R>, call: &Call) -> Answer {
    let answer = tokio::time::timeout(LONGEST, work(store, call)).await;
    answer.unwrap_or_else(|_| Err(RedisError::Unexpected("no end".to_owned())))
}

async fn work<R: Redis>(store: &Store<R>, call: &Call) -> Answer {
    match call {
        Call::Insert { .. } => insert(store, call).await,
        Call::Batch { queue, payloads, due } => {
            let payloads = payloads.all();
            let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
            let batch = InsertBatch {
                queue: &self::queue(*queue),
                payloads: &payloads,
                due: due.map(Timestamp::from_millis),
            };
            store.insert_batch(batch).await.map(Outcome::Batch)
        }
        Call::Claim {
            queues,
            max_jobs,
            lease,
            worker,
            acks,
        } => {
            let queues: Vec<QueueName> = queues.iter().map(|place| queue(*place)).collect();
            let receipts: Vec<Receipt> = acks.iter().map(|(text, _)| receipt(text)).collect();
            let claim = Claim {
                queues: &queues,
                max_jobs: *max_jobs,
                lease: *lease,
                worker: bytes(worker.as_ref()),
                wait: Duration::ZERO,
                acks: &self::acks(acks, &receipts),
            };
            store.claim(claim).await.map(|mut claimed| {
                for (_, job) in &mut claimed.jobs {
                    job.position = 0;
                }
                Outcome::Claimed(claimed)
            })
        }
        Call::Fetch {
            queue,
            worker,
            max_jobs,
        } => {
            let fetch = Fetch {
                queue: &self::queue(*queue),
                worker: bytes(worker.as_ref()),
                max_jobs: *max_jobs,
            };
            store.fetch(fetch).await.map(Outcome::Fetched)
        }
        Call::Ack { queue, acks } => {
            let receipts: Vec<Receipt> = acks.iter().map(|(text, _)| receipt(text)).collect();
            let acked = store.ack(&self::queue(*queue), &self::acks(acks, &receipts)).await;
            acked.map(Outcome::Acked)
        }
        Call::Nack { queue, nacks } => {
            let receipts: Vec<Receipt> = nacks.iter().map(|nack| receipt(&nack.receipt)).collect();
            let nacks: Vec<Nack<'_>> = nacks.iter().zip(&receipts).map(nack).collect();
            store.nack(&self::queue(*queue), &nacks).await.map(Outcome::Nacked)
        }
        Call::Extend { queue, extensions } => {
            let receipts: Vec<Receipt> = extensions.iter().map(|extend| receipt(&extend.receipt)).collect();
            let extensions: Vec<Extend<'_>> = extensions.iter().zip(&receipts).map(extend).collect();
            let extended = store.extend(&self::queue(*queue), &extensions).await;
            extended.map(Outcome::Extended)
        }
        Call::Remove { queue, id } => {
            let removed = store.remove(&self::queue(*queue), &self::id(id)).await;
            removed.map(Outcome::Removed)
        }
        Call::Redrive { queue, dead } => on_dead(store, *queue, dead, true).await,
        Call::Purge { queue, dead } => on_dead(store, *queue, dead, false).await,
        other => manage(store, other).await,
    }
}

async fn insert<R: Redis>(store: &Store<R>, call: &Call) -> Answer {
    let Call::Insert {
        queue,
        jobs,
        failed,
        idempotency,
    } = call
    else {
        unreachable!("an insert");
    };
    let jobs: Vec<NewJob<'_>> = jobs.iter().map(new_job).collect();
    let insert = Insert {
        queue: &self::queue(*queue),
        jobs: &jobs,
        failed: failed.as_ref().map(|worker| Failed {
            worker: bytes(worker.as_ref()),
        }),
        idempotency: idempotency.as_ref().map(|(key, fingerprint)| Idempotency {
            key: &key.0,
            fingerprint: &fingerprint.0,
        }),
    };
    store.insert(insert).await.map(Outcome::Inserted)
}

fn new_job(spec: &call::Spec) -> NewJob<'_> {
    NewJob {
        payload: &spec.payload.0,
        priority: Priority::new(spec.priority).unwrap(),
        due: spec.due,
        unique: spec.unique.as_ref().map(|(key, hold)| Unique {
            key: &key.0,
            hold: *hold,
        }),
        max_attempts: spec.max_attempts,
        backoff: spec.backoff,
        timeout: spec.timeout,
        expires_in: spec.expires_in,
        metadata: spec.metadata.as_deref(),
        traceparent: spec.traceparent.as_deref(),
        tracestate: spec.tracestate.as_deref(),
        is_text: spec.is_text,
    }
}

async fn on_dead<R: Redis>(store: &Store<R>, queue: usize, dead: &call::Dead, redrive: bool) -> Answer {
    let queue = self::queue(queue);
    let ids: Vec<JobId>;
    let dead = match dead {
        call::Dead::First(max_jobs) => Dead::First(*max_jobs),
        call::Dead::Ids(texts) => {
            ids = texts.iter().map(|text| id(text)).collect();
            Dead::Ids(&ids)
        }
    };
    if redrive {
        store.redrive(&queue, dead).await.map(Outcome::Redriven)
    } else {
        store.purge_dead(&queue, dead).await.map(Outcome::Purged)
    }
}
