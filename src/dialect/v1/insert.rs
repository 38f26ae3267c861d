//! `POST /v1/queues/{q}/jobs`: jobs go in, one or many.

use super::backoff::parse_backoff;
use super::headers::{Trace, parse_idempotency_key};
use super::members::Members;
use super::problem::{Problem, ProblemType};
use super::request::{DELAY, LEASE, parse_body};
use super::respond;
use crate::queue::{Due, Hold, Priority, QueueName, Unique};
use crate::store::{Idempotency, Insert, Inserted, InsertedJob, NewJob, Redis};
use crate::web::json::{Object, push_object};
use crate::web::{Context, Request, Response, encode_segment, with_header};
use http::StatusCode;
use http::header::LOCATION;
use sha1_smol::Sha1;
use std::ops::RangeInclusive;

/// How much of a body there may be beside the payload, or the payloads.
const MAX_ENVELOPE_BYTES: usize = 64 * 1024;

/// How much there may be of payloads in one request, even where one job may not be so large.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How long a unique key may be.
pub(super) const KEY_BYTES: RangeInclusive<usize> = 1..=512;

/// How large metadata may be.
const MAX_METADATA_BYTES: usize = 16 * 1024;

/// For how many seconds a job may wait before it expires.
const EXPIRY: RangeInclusive<f64> = 0.001..=315_360_000.0;

/// For how many seconds a key may be held.
const HELD_FOR: RangeInclusive<f64> = 0.001..=31_536_000.0;

/// A job as it was sent. Its unique key is kept here, since a [`NewJob`] only borrows it.
struct JobRequest<'a> {
    job: NewJob<'a>,
    unique: Option<(String, Hold)>,
}

pub(super) async fn insert<R: Redis>(
    request: &mut Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let key = parse_idempotency_key(request.headers())?;
    let max_job_bytes = context.limits.max_job_bytes;
    let body = parse_body(request, max_job_bytes.max(MAX_BATCH_BYTES) + MAX_ENVELOPE_BYTES).await?;
    let trace = Trace::parse(request.headers());
    let mut members = Members::of_body(&body)?;
    let is_many = members.has("jobs");
    let requests = if is_many {
        parse_jobs(&mut members, &trace, max_job_bytes)?
    } else {
        vec![parse_job(members, &trace, max_job_bytes)?]
    };
    let jobs: Vec<NewJob<'_>> = requests.iter().map(JobRequest::job).collect();
    let fingerprint = Sha1::from(&body).digest().bytes();
    let insert = Insert {
        queue,
        jobs: &jobs,
        failed: None,
        idempotency: key.as_deref().map(|key| Idempotency {
            key,
            fingerprint: &fingerprint,
        }),
    };
    match context.store.insert(insert).await? {
        Inserted::Jobs(jobs) if is_many => Ok(render_many(queue, &jobs)),
        Inserted::Jobs(jobs) => render_one(queue, &jobs),
        Inserted::OtherRequest => Err(Problem::new(
            ProblemType::IdempotencyKeyReused,
            "Within the last 24 hours a request with another body used this key. Nothing was changed.",
        )),
        Inserted::TooLarge => Err(Problem::new(
            ProblemType::PayloadTooLarge,
            "A payload is larger than the queue setting `max_bytes`. Nothing was changed.",
        )),
    }
}

fn parse_jobs<'a>(
    members: &mut Members<'a>,
    trace: &'a Trace,
    max_job_bytes: usize,
) -> Result<Vec<JobRequest<'a>>, Problem> {
    let jobs = members.list("jobs", 1..=Insert::MAX_JOBS)?.unwrap_or_default();
    members.reject_unknown()?;
    jobs.into_iter()
        .map(|(job, pointer)| parse_job(Members::of(job, pointer)?, trace, max_job_bytes))
        .collect()
}

fn parse_job<'a>(mut members: Members<'a>, trace: &'a Trace, max_job_bytes: usize) -> Result<JobRequest<'a>, Problem> {
    let payload = members.any("payload");
    let payload = members.required("payload", payload)?.get();
    if payload.len() > max_job_bytes {
        let detail = format!("`payload` must have at most {max_job_bytes} bytes.");
        return Err(Problem::with_pointer(
            ProblemType::PayloadTooLarge,
            members.pointer_to("payload"),
            detail,
        ));
    }
    let priority = members.whole("priority", 0..=9)?;
    let job = NewJob {
        payload: payload.as_bytes(),
        due: parse_due(&mut members)?,
        priority: priority
            .and_then(|number| Priority::new(u8::try_from(number).ok()?))
            .unwrap_or_default(),
        max_attempts: members.whole("max_attempts", 1..=1000)?,
        backoff: parse_backoff(&mut members)?,
        lease: members.seconds("timeout", LEASE)?,
        expires_in: members.seconds("expires_in", EXPIRY)?,
        metadata: parse_metadata(&mut members)?,
        traceparent: trace.parent.as_deref(),
        tracestate: trace.state.as_deref(),
        unique: None,
        is_text: false,
    };
    check_expiry(&members, &job)?;
    let unique = parse_unique(&mut members)?;
    members.reject_unknown()?;
    Ok(JobRequest { job, unique })
}

fn parse_due(members: &mut Members<'_>) -> Result<Due, Problem> {
    let delay = members.seconds("delay", DELAY)?;
    let time = members.time("run_at")?;
    match (delay, time) {
        (Some(_), Some(_)) => Err(members.conflict("run_at", "delay")),
        (Some(delay), None) => Ok(Due::In(delay)),
        (None, Some(time)) => Ok(Due::At(time)),
        (None, None) => Ok(Due::Now),
    }
}

/// A job that expires before its delay is over would never be handed out.
fn check_expiry(members: &Members<'_>, job: &NewJob<'_>) -> Result<(), Problem> {
    match (job.due, job.expires_in) {
        (Due::In(delay), Some(expires_in)) if delay >= expires_in => {
            let detail = "`delay` must be less than `expires_in`, which counts from the insertion, too: the job would expire \
                          before it can be handed out.";
            Err(Problem::member(members.pointer_to("delay"), detail))
        }
        _ => Ok(()),
    }
}

fn parse_unique(members: &mut Members<'_>) -> Result<Option<(String, Hold)>, Problem> {
    let Some(mut unique) = members.object("unique")? else {
        return Ok(None);
    };
    let key = unique.text("key", KEY_BYTES)?;
    let key = unique.required("key", key)?;
    let scopes = [("waiting", Hold::UntilClaimed), ("unfinished", Hold::UntilEnded)];
    let scope = unique.word("while", &scopes)?;
    let time = unique.seconds("for", HELD_FOR)?;
    unique.reject_unknown()?;
    match (scope, time) {
        (Some(_), Some(_)) => Err(unique.conflict("for", "while")),
        (None, Some(time)) => Ok(Some((key, Hold::For(time)))),
        (scope, None) => Ok(Some((key, scope.unwrap_or(Hold::UntilEnded)))),
    }
}

fn parse_metadata<'a>(members: &mut Members<'a>) -> Result<Option<&'a str>, Problem> {
    let must = format!("an object of at most {MAX_METADATA_BYTES} bytes");
    members.read("metadata", must, |text| {
        (text.starts_with('{') && text.len() <= MAX_METADATA_BYTES).then_some(text)
    })
}

impl JobRequest<'_> {
    fn job(&self) -> NewJob<'_> {
        let unique = self.unique.as_ref().map(|(key, hold)| Unique {
            key: key.as_bytes(),
            hold: *hold,
        });
        NewJob { unique, ..self.job }
    }
}

fn render_one(queue: &QueueName, jobs: &[InsertedJob]) -> Result<Response, Problem> {
    let [job] = jobs else {
        return Err(Problem::new(
            ProblemType::StoreLost,
            "Redis answered for other jobs than were sent. The request may have been carried out.",
        ));
    };
    let id = match job {
        InsertedJob::Stored(id) | InsertedJob::Duplicate(id) => id,
    };
    let location = format!("/v1/queues/{}/jobs/{id}", encode_segment(queue.as_str()));
    let response = respond(status(jobs), |o| render_inserted(o, queue, job));
    Ok(with_header(response, LOCATION, location))
}

fn render_many(queue: &QueueName, jobs: &[InsertedJob]) -> Response {
    respond(status(jobs), |o| {
        o.array("jobs", jobs, |out, job| {
            push_object(out, |o| render_inserted(o, queue, job));
        });
    })
}

fn status(jobs: &[InsertedJob]) -> StatusCode {
    let stored = |job: &InsertedJob| matches!(job, InsertedJob::Stored(_));
    if jobs.iter().any(stored) {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    }
}

fn render_inserted(o: &mut Object<'_>, queue: &QueueName, job: &InsertedJob) {
    match job {
        InsertedJob::Stored(id) => o.text("id", id.to_string()).text("queue", queue.as_str()),
        InsertedJob::Duplicate(id) => {
            o.text("id", id.to_string()).text("queue", queue.as_str());
            o.plain("duplicate", true)
        }
    };
}
