//! The same calls, made to the store.

use super::call::{self, Bytes, Call, Outcome, QUEUES};
use presque::queue::{JobId, Priority, QueueName, Receipt, State, Status, Timestamp, Unique};
use presque::store::{
    Ack, Act, ActOn, Action, Claim, Condition, Cursor, DeadJobs, Delete, Extend, FailureReport, Fetch, Filter, History,
    Idempotency, Insert, InsertBatch, Job, ListJobs, Minute, Nack, NewJob, Redis, RedisError, Store,
};
use std::time::Duration;

/// No call waits for anything but Redis. One that takes longer goes round in circles.
const LONGEST: Duration = Duration::from_secs(10);

/// What was inserted, claimed, done, failed, lost, dead, released in a minute.
fn counts_of(minute: Minute) -> [u64; 7] {
    let Minute {
        inserted,
        claimed,
        done,
        failed,
        lost_leases,
        dead,
        released,
        ..
    } = minute;
    [inserted, claimed, done, failed, lost_leases, dead, released]
}

/// Makes a call.
pub async fn call<R: Redis>(store: &Store<R>, call: &Call) -> Result<Outcome, RedisError> {
    let outcome = tokio::time::timeout(LONGEST, run(store, call)).await;
    outcome.unwrap_or_else(|_| Err(RedisError::Unexpected("no end".to_owned())))
}

async fn run<R: Redis>(store: &Store<R>, call: &Call) -> Result<Outcome, RedisError> {
    Ok(match call {
        Call::Insert {
            queue,
            jobs,
            failed,
            idempotency,
        } => {
            let jobs: Vec<NewJob<'_>> = jobs.iter().map(new_job).collect();
            let insert = Insert {
                queue: &name(*queue),
                jobs: &jobs,
                failed: failed.as_ref().map(|worker| FailureReport {
                    worker: bytes(worker.as_ref()),
                }),
                idempotency: idempotency.as_ref().map(|(key, fingerprint)| Idempotency {
                    key: &key.0,
                    fingerprint: &fingerprint.0,
                }),
            };
            Outcome::Inserted(store.insert(insert).await?)
        }
        Call::Batch { queue, payloads, due } => {
            let payloads = payloads.all();
            let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
            let batch = InsertBatch {
                queue: &name(*queue),
                payloads: &payloads,
                due: due.map(Timestamp::from_millis),
            };
            Outcome::Batch(store.insert_batch(batch).await?)
        }
        Call::Claim {
            queues,
            max_jobs,
            lease,
            worker,
            acks,
        } => {
            let queues: Vec<QueueName> = queues.iter().map(|place| name(*place)).collect();
            let receipts: Vec<Receipt> = acks.iter().map(|(text, _)| receipt(text)).collect();
            let claim = Claim {
                queues: &queues,
                max_jobs: *max_jobs,
                lease: *lease,
                worker: bytes(worker.as_ref()),
                wait: Duration::ZERO,
                acks: &self::acks(acks, &receipts),
            };
            let mut claimed = store.claim(claim).await?;
            for (_, job) in &mut claimed.jobs {
                job.position = 0;
            }
            Outcome::Claimed(claimed)
        }
        Call::Fetch {
            queue,
            worker,
            max_jobs,
        } => {
            let fetch = Fetch {
                queue: &name(*queue),
                worker: bytes(worker.as_ref()),
                max_jobs: *max_jobs,
            };
            Outcome::Fetched(store.fetch(fetch).await?)
        }
        Call::Take { queue } => Outcome::Taken(store.take_next(&name(*queue)).await?),
        Call::Show { queue } => Outcome::Shown(store.show_next(&name(*queue)).await?),
        Call::RemoveNumber { queue, number } => {
            Outcome::NumberRemoved(store.remove_number(&name(*queue), *number).await?)
        }
        Call::Ack { queue, acks } => {
            let receipts: Vec<Receipt> = acks.iter().map(|(text, _)| receipt(text)).collect();
            Outcome::Acked(store.ack(&name(*queue), &self::acks(acks, &receipts)).await?)
        }
        Call::Nack { queue, nacks } => {
            let receipts: Vec<Receipt> = nacks.iter().map(|nack| receipt(&nack.receipt)).collect();
            let nacks: Vec<Nack<'_>> = nacks.iter().zip(&receipts).map(nack).collect();
            Outcome::Nacked(store.nack(&name(*queue), &nacks).await?)
        }
        Call::Extend { queue, extensions } => {
            let receipts: Vec<Receipt> = extensions.iter().map(|extend| receipt(&extend.receipt)).collect();
            let extensions: Vec<Extend<'_>> = extensions.iter().zip(&receipts).map(extend).collect();
            Outcome::Extended(store.extend(&name(*queue), &extensions).await?)
        }
        Call::Remove { queue, id } => Outcome::Removed(store.remove(&name(*queue), &parsed(id)).await?),
        Call::Redrive { queue, dead } => {
            let ids = ids(dead);
            Outcome::Redriven(store.redrive(&name(*queue), self::dead(dead, &ids)).await?)
        }
        Call::Purge { queue, dead } => {
            let ids = ids(dead);
            Outcome::Purged(store.purge_dead(&name(*queue), self::dead(dead, &ids)).await?)
        }
        Call::Act { queue, action, state } => Outcome::Acted(act_on_all(store, &name(*queue), *action, *state).await?),
        Call::Configure {
            queue,
            settings,
            condition,
        } => {
            let condition = match condition {
                call::Condition::Always => Condition::Always,
                call::Condition::Exists => Condition::Exists,
                call::Condition::Absent => Condition::Absent,
                call::Condition::Tag { text, .. } => Condition::Tag(text),
            };
            Outcome::Configured(store.configure(&name(*queue), settings, condition).await?)
        }
        Call::SetStatus { queue, open } => {
            let status = if *open { Status::Open } else { Status::Stopped };
            store.set_status(&name(*queue), status).await?;
            Outcome::Nothing
        }
        Call::Delete { queue, settings } => {
            let what = if *settings { Delete::Queue } else { Delete::Jobs };
            store.delete(&name(*queue), what).await?;
            Outcome::Nothing
        }
        Call::Register { queue, worker } => {
            store.register(&name(*queue), &worker.0).await?;
            Outcome::Nothing
        }
        Call::Unregister { queue, worker } => {
            store.unregister(&name(*queue), &worker.0).await?;
            Outcome::Nothing
        }
        Call::Look { queue, id } => {
            let job = store.job(&name(*queue), &parsed(id)).await?;
            Outcome::Jobs(without_positions(job.into_iter().collect()))
        }
        Call::List {
            queue,
            state,
            page,
            payload,
        } => {
            let jobs = list_all(store, &name(*queue), *state, *page, *payload).await?;
            Outcome::Jobs(without_positions(jobs))
        }
        Call::Peek { queue } => Outcome::Peeked(store.peek(&name(*queue)).await?),
        Call::Describe { queue } => Outcome::Described(store.describe(&name(*queue)).await?),
        Call::History { queue } => {
            let found = store.history(&name(*queue), History::MAX_MINUTES).await?;
            let minutes = found.map(|history| history.minutes);
            Outcome::History(minutes.map(|minutes| minutes.into_iter().map(counts_of).collect()))
        }
        Call::Counts { queue } => Outcome::Counted(store.counts(&name(*queue)).await?),
        Call::QueueWorkers { queue } => {
            let mut workers = store.queue_workers(&name(*queue)).await?;
            workers.workers.sort();
            Outcome::QueueWorkers(workers)
        }
        Call::Worker { worker } => Outcome::Worker(store.worker("", &worker.0, |_| true).await?),
        Call::Lists => {
            let (mut queues, mut workers) = (store.queues().await?.names, store.workers().await?.names);
            let seen = store.seen_workers(Some).await?.into_iter();
            let mut seen: Vec<_> = seen
                .map(|seen| (seen.worker, seen.queue.to_string(), seen.at.as_millis()))
                .collect();
            queues.sort();
            workers.sort();
            seen.sort();
            Outcome::Lists(queues, workers, seen)
        }
    })
}

fn name(place: usize) -> QueueName {
    QueueName::new(QUEUES[place]).unwrap()
}

fn parsed(text: &str) -> JobId {
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
        kind: nack.kind,
    }
}

fn extend<'a>((extend, receipt): (&'a call::Extend, &'a Receipt)) -> Extend<'a> {
    Extend {
        receipt,
        lease: extend.lease,
        progress: extend.progress.as_deref(),
    }
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
        lease: spec.timeout,
        expires_in: spec.expires_in,
        metadata: spec.metadata.as_deref(),
        traceparent: spec.traceparent.as_deref(),
        tracestate: spec.tracestate.as_deref(),
        is_text: spec.is_text,
    }
}

/// The ids that are named.
fn ids(dead: &call::Dead) -> Vec<JobId> {
    match dead {
        call::Dead::First(_) => Vec::new(),
        call::Dead::Ids(texts) => texts.iter().map(|text| parsed(text)).collect(),
    }
}

fn dead<'a>(dead: &call::Dead, ids: &'a [JobId]) -> DeadJobs<'a> {
    match dead {
        call::Dead::First(max_jobs) => DeadJobs::First(*max_jobs),
        call::Dead::Ids(_) => DeadJobs::Ids(ids),
    }
}

/// Acts on all jobs of a state, three at a time.
async fn act_on_all<R: Redis>(
    store: &Store<R>,
    queue: &QueueName,
    action: Action,
    state: State,
) -> Result<u64, RedisError> {
    let (mut changed, mut place) = (0, None);
    loop {
        let act = Act {
            queue,
            action,
            on: ActOn::State(state, place.as_ref()),
            filter: &Filter::default(),
            max_jobs: 3,
        };
        let acted = store.act(act).await?;
        changed += acted.changed;
        place = acted.next;
        if place.is_none() {
            return Ok(changed);
        }
    }
}

/// Walks all pages.
async fn list_all<R: Redis>(
    store: &Store<R>,
    queue: &QueueName,
    state: State,
    max_jobs: usize,
    payload: bool,
) -> Result<Vec<Job>, RedisError> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut after = None;
    loop {
        let page = ListJobs {
            queue,
            state,
            max_jobs,
            after: after.as_ref(),
            is_newest_first: false,
            has_payloads: payload,
        };
        let found = store.jobs(page).await?;
        after = found.jobs.last().map(|job| Cursor {
            position: job.position,
            id: job.id,
        });
        jobs.extend(found.jobs);
        // Pages that tell the same jobs again and again would never end.
        if !found.has_more || jobs.len() > 5000 {
            return Ok(jobs);
        }
    }
}

/// Positions are the store's own, and the time of a ready job has no meaning.
fn without_positions(mut jobs: Vec<Job>) -> Vec<Job> {
    for job in &mut jobs {
        job.position = 0;
        if job.state == State::Ready {
            job.state_time = Timestamp::from_millis(0);
        }
    }
    jobs
}
