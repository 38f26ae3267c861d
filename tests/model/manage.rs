//! Managing the store, and looking at it.

use super::call::{self, Call, Outcome};
use super::store::{Answer, id as parsed, queue as name};
use presque::queue::{QueueName, State, Status, Timestamp};
use presque::store::{Condition, Cursor, Delete, Job, Page, Redis, RedisError, Store};

pub async fn manage<R: Redis>(store: &Store<R>, call: &Call) -> Answer {
    match call {
        Call::Configure {
            queue,
            settings,
            condition,
        } => {
            let condition = match condition {
                call::Condition::Always => Condition::Always,
                call::Condition::There => Condition::There,
                call::Condition::NotThere => Condition::NotThere,
                call::Condition::Tag { text, .. } => Condition::Tag(text),
            };
            let configured = store.configure(&name(*queue), settings, condition).await;
            configured.map(Outcome::Configured)
        }
        Call::SetStatus { queue, open } => {
            let status = if *open { Status::Open } else { Status::Stopped };
            store.set_status(&name(*queue), status).await?;
            Ok(Outcome::Nothing)
        }
        Call::Delete { queue, settings } => {
            let what = if *settings { Delete::Queue } else { Delete::Jobs };
            store.delete(&name(*queue), what).await?;
            Ok(Outcome::Nothing)
        }
        Call::Register { queue, worker } => {
            store.register(&name(*queue), &worker.0).await?;
            Ok(Outcome::Nothing)
        }
        Call::Unregister { queue, worker } => {
            store.unregister(&name(*queue), &worker.0).await?;
            Ok(Outcome::Nothing)
        }
        other => tell(store, other).await,
    }
}

async fn tell<R: Redis>(store: &Store<R>, call: &Call) -> Answer {
    Ok(match call {
        Call::Look { queue, id } => {
            let job = store.job(&name(*queue), &parsed(id)).await?;
            Outcome::Jobs(without_places(job.into_iter().collect()))
        }
        Call::List {
            queue,
            state,
            page,
            payload,
        } => Outcome::Jobs(without_places(
            list(store, &name(*queue), *state, *page, *payload).await?,
        )),
        Call::Take { queue } => Outcome::Taken(store.take_next(&name(*queue)).await?),
        Call::Show { queue } => Outcome::Shown(store.show_next(&name(*queue)).await?),
        Call::RemoveNumber { queue, number } => {
            Outcome::NumberRemoved(store.remove_number(&name(*queue), *number).await?)
        }
        Call::Peek { queue } => Outcome::Peeked(store.peek(&name(*queue)).await?),
        Call::Describe { queue } => Outcome::Described(store.describe(&name(*queue)).await?),
        Call::Counts { queue } => Outcome::Counted(store.counts(&name(*queue)).await?),
        Call::QueueWorkers { queue } => {
            let mut workers = store.queue_workers(&name(*queue)).await?;
            workers.workers.sort();
            Outcome::QueueWorkers(workers)
        }
        Call::Worker { worker } => Outcome::Worker(store.worker(&worker.0).await?),
        Call::Lists => {
            let (mut queues, mut workers) = (store.queues().await?.names, store.workers().await?.names);
            let seen = store.seen_workers().await?.into_iter();
            let mut seen: Vec<_> = seen
                .map(|seen| (seen.worker, seen.queue.to_string(), seen.at.as_millis()))
                .collect();
            queues.sort();
            workers.sort();
            seen.sort();
            Outcome::Lists(queues, workers, seen)
        }
        other => unreachable!("{other:?}"),
    })
}

/// Walks all pages.
async fn list<R: Redis>(
    store: &Store<R>,
    queue: &QueueName,
    state: State,
    max_jobs: usize,
    payload: bool,
) -> Result<Vec<Job>, RedisError> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut after = None;
    loop {
        let page = Page {
            queue,
            state,
            max_jobs,
            after: after.as_ref(),
            payload,
        };
        let found = store.jobs(page).await?;
        after = found.jobs.last().map(|job| Cursor {
            position: job.position,
            id: job.id.clone(),
        });
        jobs.extend(found.jobs);
        // Pages that tell the same jobs again and again would never end.
        if !found.more || jobs.len() > 5000 {
            return Ok(jobs);
        }
    }
}

/// The places are the store's own, and the time of a ready job has no meaning.
fn without_places(mut jobs: Vec<Job>) -> Vec<Job> {
    for job in &mut jobs {
        job.position = 0;
        if job.state == State::Ready {
            job.at = Timestamp::from_millis(0);
        }
    }
    jobs
}
