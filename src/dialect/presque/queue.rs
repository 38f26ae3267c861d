//! `/q/{queue}` and `/qb/{queue}`: jobs in and out, one or many at a time.

use super::request::{due_time, query, queue_name, read_job, worker_id};
use super::{Refusal, options};
use crate::queue::{Due, Hold, QueueName, Unique};
use crate::store::{
    Delete, Failed, Fetch, Fetched, Insert, InsertBatch, Inserted, InsertedBatch, InsertedJob, NewJob, Redis,
};
use crate::web::{Context, Response, empty, json, with_body};
use http::request::Parts;
use http::{Method, Request, StatusCode};

/// The methods of `/q/`. HEAD is none of them: it must never take a job.
const METHODS: &str = "DELETE, GET, OPTIONS, POST, PUT";

/// The methods of `/qb/`. PUT and DELETE have a refusal of their own.
const BATCH_METHODS: &str = "GET, OPTIONS, POST";

/// How many jobs a batch has when nothing else is said.
const BATCH_SIZE: usize = 10;

/// Answers a request to `/q/{queue}` or `/qb/{queue}`.
pub async fn handle<B: http_body::Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    let (parts, body) = request.into_parts();
    let batch = parts.uri.path().starts_with("/qb");
    let answer = match (&parts.method, batch) {
        (&Method::GET, false) => fetch(&parts, context).await,
        (&Method::POST | &Method::PUT, false) => insert(&parts, body, context).await,
        (&Method::DELETE, false) => delete(&parts, context).await,
        (&Method::GET, true) => fetch_batch(&parts, context).await,
        (&Method::POST, true) => insert_batch(&parts, body, context).await,
        (&Method::PUT, true) => Err(Refusal::PutInBatch),
        (&Method::DELETE, true) => Err(Refusal::DeleteInBatch),
        (&Method::OPTIONS, _) => Ok(options(methods(batch))),
        _ => Err(Refusal::MethodNotAllowed(methods(batch))),
    };
    answer.unwrap_or_else(Response::from)
}

fn methods(batch: bool) -> &'static str {
    if batch { BATCH_METHODS } else { METHODS }
}

/// POST inserts a job. PUT gives back one that failed. A worker whose PUT is refused drops its job: where it holds that
/// under a lease, the job is made ready again.
async fn insert<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let answer = try_insert(parts, body, context).await;
    if answer.is_err()
        && parts.method == Method::PUT
        && let (Ok(queue), Some(worker)) = (queue_name(parts, "/q"), worker_id(parts))
    {
        // Should this fail too, there is nobody to tell: the answer is an error in any case.
        let _ = context.store.give_back(&queue, &worker).await;
    }
    answer
}

/// A PUT's body is not looked into whether it is JSON.
async fn try_insert<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let queue = queue_name(parts, "/q")?;
    let payload = read_job(parts, body, context.limits.max_job_bytes).await?;
    let failed = parts.method == Method::PUT;
    if !failed && !json::is_text(&payload) {
        return Err(Refusal::JobNotJson);
    }
    let due = due_time(query(parts))?;
    let key = query(parts).get_filled("uniq");
    let worker = worker_id(parts);
    let job = NewJob {
        payload: &payload,
        due: due.map_or(Due::Now, Due::At),
        unique: key.as_deref().map(|key| Unique {
            key,
            hold: Hold::WhileWaiting,
        }),
        ..NewJob::default()
    };
    let insert = Insert {
        queue: &queue,
        jobs: &[job],
        failed: failed.then_some(Failed {
            worker: worker.as_deref(),
        }),
        idempotency: None,
    };
    match context.store.insert(insert).await? {
        Inserted::Jobs(jobs) if matches!(&jobs[..], [InsertedJob::Duplicate(_)]) => Err(Refusal::JobExists),
        Inserted::Jobs(_) | Inserted::OtherRequest => Ok(empty(StatusCode::CREATED)),
        Inserted::TooLarge => Err(Refusal::JobTooLarge),
    }
}

async fn fetch<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = queue_name(parts, "/q")?;
    let mut jobs = take(parts, &queue, 1, context).await?;
    let job = jobs.pop().ok_or(Refusal::NoJob)?;
    Ok(with_body(StatusCode::OK, job))
}

async fn delete<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = queue_name(parts, "/q")?;
    context.store.delete(&queue, Delete::Jobs).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn insert_batch<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let queue = queue_name(parts, "/qb")?;
    let body = read_job(parts, body, context.limits.max_job_bytes).await?;
    let payloads = json::list_member(&body, "jobs")?;
    if payloads.len() > InsertBatch::MAX_JOBS {
        return Err(Refusal::TooManyJobs);
    }
    let batch = InsertBatch {
        queue: &queue,
        payloads: &payloads,
        due: due_time(query(parts))?,
    };
    match context.store.insert_batch(batch).await? {
        InsertedBatch::Stored => Ok(empty(StatusCode::CREATED)),
        InsertedBatch::TooLarge => Err(Refusal::JobTooLarge),
    }
}

async fn fetch_batch<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = queue_name(parts, "/qb")?;
    let jobs = take(parts, &queue, batch_size(parts)?, context).await?;
    if jobs.is_empty() {
        return Err(Refusal::NoJob);
    }
    Ok(with_body(StatusCode::OK, json::strings(&jobs)))
}

async fn take<R: Redis>(
    parts: &Parts,
    queue: &QueueName,
    max_jobs: usize,
    context: &Context<R>,
) -> Result<Vec<Vec<u8>>, Refusal> {
    let worker = worker_id(parts);
    let fetch = Fetch {
        queue,
        worker: worker.as_deref(),
        max_jobs,
    };
    match context.store.fetch(fetch).await? {
        Fetched::Jobs(jobs) => Ok(jobs),
        Fetched::Stopped => Err(Refusal::QueueClosed),
    }
}

fn batch_size(parts: &Parts) -> Result<usize, Refusal> {
    let Some(text) = query(parts).get_filled("batch_size") else {
        return Ok(BATCH_SIZE);
    };
    let number = std::str::from_utf8(&text)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    match number {
        Some(0) => Ok(BATCH_SIZE),
        Some(number) if number <= Fetch::MAX_JOBS => Ok(number),
        _ => Err(Refusal::BatchSize),
    }
}
