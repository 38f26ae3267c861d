//! `/q/{queue}` and `/qb/{queue}`: jobs in and out, one or many at a time.

use super::request::{parse_due, parse_job, parse_queue, parse_worker};
use super::{Refusal, refuse, respond_options};
use crate::gate::Operation;
use crate::queue::{Due, Hold, QueueName, Unique};
use crate::store::{
    Delete, FailureReport, Fetch, Fetched, Insert, InsertBatch, Inserted, InsertedBatch, InsertedJob, NewJob, Redis,
};
use crate::web::{Context, Request, Response, empty, json, with_body};
use http::{Method, StatusCode};

/// The methods of `/q/`. HEAD is not one of them: it must never take a job.
const METHODS: &str = "DELETE, GET, OPTIONS, POST, PUT";

/// The methods of `/qb/`. PUT and DELETE have a refusal of their own.
const BATCH_METHODS: &str = "GET, OPTIONS, POST";

/// How many jobs a batch has when the request does not say.
const BATCH_SIZE: usize = 10;

/// Responds to a request to `/q/{queue}` or `/qb/{queue}`.
pub async fn handle<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
) -> Response {
    match context.caller.check_entry() {
        Ok(()) => respond(&mut Request::new(request), context).await,
        Err(denied) => refuse(denied),
    }
}

pub(in crate::dialect) async fn respond<R: Redis>(request: &mut Request, context: &Context<R>) -> Response {
    let is_batch = request.path().starts_with("/qb");
    let methods = if is_batch { BATCH_METHODS } else { METHODS };
    let response = match (request.method(), is_batch) {
        (&Method::GET, false) => fetch(request, context).await,
        (&Method::POST, false) => insert(request, context).await,
        (&Method::PUT, false) => reinsert_failed(request, context).await,
        (&Method::DELETE, false) => delete(request, context).await,
        (&Method::GET, true) => fetch_batch(request, context).await,
        (&Method::POST, true) => insert_batch(request, context).await,
        (&Method::PUT, true) => Err(Refusal::PutInBatch),
        (&Method::DELETE, true) => Err(Refusal::DeleteInBatch),
        (&Method::OPTIONS, _) => Ok(respond_options(methods)),
        _ => Err(Refusal::MethodNotAllowed(methods)),
    };
    response.unwrap_or_else(Response::from)
}

async fn insert<R: Redis>(request: &mut Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/q", Operation::PresqueInsert, context)?;
    let payload = parse_job(request, context.limits.max_job_bytes).await?;
    if !json::is_text(&payload) {
        return Err(Refusal::JobNotJson);
    }
    run_insert(request, &queue, &payload, None, context).await
}

/// PUT inserts a job again that failed. A worker whose PUT is refused drops its job: where it has that under a lease, the job
/// is made ready again.
async fn reinsert_failed<R: Redis>(request: &mut Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/q", Operation::PresqueInsertFailed, context)?;
    let response = insert_failed(request, &queue, context).await;
    if let (Err(_), Some(worker)) = (&response, parse_worker(request)) {
        // Should this fail too, there is nobody to tell: the response is an error in any case.
        let _ = context.store.end_legacy_leases(&queue, &worker).await;
    }
    response
}

/// Whether the body is JSON is not checked here.
async fn insert_failed<R: Redis>(
    request: &mut Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let payload = parse_job(request, context.limits.max_job_bytes).await?;
    let worker = parse_worker(request);
    let failed = FailureReport {
        worker: worker.as_deref(),
    };
    run_insert(request, queue, &payload, Some(failed), context).await
}

async fn run_insert<R: Redis>(
    request: &Request,
    queue: &QueueName,
    payload: &[u8],
    failed: Option<FailureReport<'_>>,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let due = parse_due(request.query())?;
    let key = request.query().get_filled("uniq");
    let job = NewJob {
        payload,
        due: due.map_or(Due::Now, Due::At),
        unique: key.as_deref().map(|key| Unique {
            key,
            hold: Hold::UntilClaimed,
        }),
        ..NewJob::default()
    };
    let insert = Insert {
        queue,
        jobs: &[job],
        failed,
        idempotency: None,
    };
    match context.store.insert(insert).await? {
        Inserted::Jobs(jobs) if matches!(&jobs[..], [InsertedJob::Duplicate(_)]) => Err(Refusal::JobExists),
        Inserted::Jobs(_) | Inserted::OtherRequest => Ok(empty(StatusCode::CREATED)),
        Inserted::TooLarge => Err(Refusal::JobTooLarge),
    }
}

async fn fetch<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/q", Operation::PresqueFetch, context)?;
    let mut jobs = run_fetch(request, &queue, 1, context).await?;
    let job = jobs.pop().ok_or(Refusal::NoJob)?;
    Ok(with_body(StatusCode::OK, job))
}

async fn delete<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/q", Operation::PresqueDelete, context)?;
    context.store.delete(&queue, Delete::Jobs).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn insert_batch<R: Redis>(request: &mut Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/qb", Operation::PresqueInsertBatch, context)?;
    let body = parse_job(request, context.limits.max_job_bytes).await?;
    let payloads = json::list_member(&body, "jobs")?;
    if payloads.len() > InsertBatch::MAX_JOBS {
        return Err(Refusal::TooManyJobs);
    }
    let batch = InsertBatch {
        queue: &queue,
        payloads: &payloads,
        due: parse_due(request.query())?,
    };
    match context.store.insert_batch(batch).await? {
        InsertedBatch::Stored => Ok(empty(StatusCode::CREATED)),
        InsertedBatch::TooLarge => Err(Refusal::JobTooLarge),
    }
}

async fn fetch_batch<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/qb", Operation::PresqueFetchBatch, context)?;
    let jobs = run_fetch(request, &queue, parse_batch_size(request)?, context).await?;
    if jobs.is_empty() {
        return Err(Refusal::NoJob);
    }
    Ok(with_body(StatusCode::OK, json::strings(&jobs)))
}

async fn run_fetch<R: Redis>(
    request: &Request,
    queue: &QueueName,
    max_jobs: usize,
    context: &Context<R>,
) -> Result<Vec<Vec<u8>>, Refusal> {
    let worker = parse_worker(request);
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

fn parse_batch_size(request: &Request) -> Result<usize, Refusal> {
    let Some(text) = request.query().get_filled("batch_size") else {
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
