//! `POST /v1/queues/{q}/jobs`: jobs go in, one or many.

use super::backoff::take_backoff;
use super::headers::{Trace, idempotency_key};
use super::members::Members;
use super::problem::{Kind, Problem};
use super::request::{DELAY, LEASE, read};
use super::told;
use crate::queue::{Due, Hold, Priority, QueueName, Unique};
use crate::store::{Idempotency, Insert, Inserted, InsertedJob, NewJob, Redis};
use crate::web::json::{MAX_LEVELS, Object, is_shallow, push_object};
use crate::web::{Context, Response, encode_segment, with_header};
use http::StatusCode;
use http::header::LOCATION;
use http::request::Parts;
use sha1_smol::Sha1;
use std::ops::RangeInclusive;

/// How much of a body there may be beside the payload, or the payloads.
const ENVELOPE_BYTES: usize = 64 * 1024;

/// How much there may be of payloads in one request, even where one job may not be so large.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How long a unique key may be.
const KEY_BYTES: RangeInclusive<usize> = 1..=512;

/// How large metadata may be.
const METADATA_BYTES: usize = 16 * 1024;

/// For how many seconds a job may wait before it expires.
const EXPIRY: RangeInclusive<f64> = 0.001..=315_360_000.0;

/// For how many seconds a key may be held.
const HELD_FOR: RangeInclusive<f64> = 0.001..=31_536_000.0;

/// A job as it was sent. Its unique key is apart, since a job that is inserted only borrows it.
struct Sent<'a> {
    job: NewJob<'a>,
    unique: Option<(String, Hold)>,
}

pub(super) async fn insert<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&parts.headers)?;
    let job_bytes = context.limits.max_job_bytes;
    let body = read(parts, body, job_bytes.max(BATCH_BYTES) + ENVELOPE_BYTES).await?;
    let trace = Trace::of(&parts.headers);
    let mut members = Members::of_body(&body)?;
    let many = members.has("jobs");
    let sent = if many {
        take_jobs(&mut members, &trace, job_bytes)?
    } else {
        vec![take_job(members, &trace, job_bytes)?]
    };
    let jobs: Vec<NewJob<'_>> = sent.iter().map(Sent::job).collect();
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
        Inserted::Jobs(jobs) if many => Ok(tell_many(queue, &jobs)),
        Inserted::Jobs(jobs) => tell_one(queue, &jobs),
        Inserted::OtherRequest => Err(Problem::new(
            Kind::IdempotencyKeyReused,
            "A request with another body had this key within 24 hours. Nothing was changed.",
        )),
        Inserted::TooLarge => Err(Problem::new(
            Kind::PayloadTooLarge,
            "A payload is larger than the queue's `max_bytes`. Nothing was changed.",
        )),
    }
}

fn take_jobs<'a>(members: &mut Members<'a>, trace: &'a Trace, job_bytes: usize) -> Result<Vec<Sent<'a>>, Problem> {
    let jobs = members.list("jobs", 1..=Insert::MAX_JOBS)?.unwrap_or_default();
    members.finish()?;
    jobs.into_iter()
        .map(|(job, pointer)| take_job(Members::of(job, pointer)?, trace, job_bytes))
        .collect()
}

fn take_job<'a>(mut members: Members<'a>, trace: &'a Trace, job_bytes: usize) -> Result<Sent<'a>, Problem> {
    let payload = members.any("payload");
    let payload = members.required("payload", payload)?.get();
    if payload.len() > job_bytes {
        let detail = format!("`payload` must have at most {job_bytes} bytes.");
        return Err(Problem::at(
            Kind::PayloadTooLarge,
            members.pointer_to("payload"),
            detail,
        ));
    }
    let priority = members.whole("priority", 0..=9)?;
    let job = NewJob {
        payload: payload.as_bytes(),
        due: take_due(&mut members)?,
        priority: priority
            .and_then(|number| Priority::new(u8::try_from(number).ok()?))
            .unwrap_or_default(),
        max_attempts: members.whole("max_attempts", 1..=1000)?,
        backoff: take_backoff(&mut members)?,
        timeout: members.seconds("timeout", LEASE)?,
        expires_in: members.seconds("expires_in", EXPIRY)?,
        metadata: take_metadata(&mut members)?,
        traceparent: trace.parent.as_deref(),
        tracestate: trace.state.as_deref(),
        unique: None,
        is_text: false,
    };
    let unique = take_unique(&mut members)?;
    members.finish()?;
    Ok(Sent { job, unique })
}

fn take_due(members: &mut Members<'_>) -> Result<Due, Problem> {
    let delay = members.seconds("delay", DELAY)?;
    let time = members.time("run_at")?;
    match (delay, time) {
        (Some(_), Some(_)) => Err(members.conflict("run_at", "delay")),
        (Some(delay), None) => Ok(Due::In(delay)),
        (None, Some(time)) => Ok(Due::At(time)),
        (None, None) => Ok(Due::Now),
    }
}

fn take_unique(members: &mut Members<'_>) -> Result<Option<(String, Hold)>, Problem> {
    let Some(mut unique) = members.object("unique")? else {
        return Ok(None);
    };
    let key = unique.text("key", KEY_BYTES)?;
    let key = unique.required("key", key)?;
    let scopes = [("waiting", Hold::WhileWaiting), ("unfinished", Hold::WhileUnfinished)];
    let scope = unique.word("while", &scopes)?;
    let time = unique.seconds("for", HELD_FOR)?;
    unique.finish()?;
    match (scope, time) {
        (Some(_), Some(_)) => Err(unique.conflict("for", "while")),
        (None, Some(time)) => Ok(Some((key, Hold::For(time)))),
        (scope, None) => Ok(Some((key, scope.unwrap_or(Hold::WhileUnfinished)))),
    }
}

fn take_metadata<'a>(members: &mut Members<'a>) -> Result<Option<&'a str>, Problem> {
    let must = format!("an object of at most {METADATA_BYTES} bytes and {MAX_LEVELS} levels");
    members.read("metadata", must, |text| {
        (text.starts_with('{') && text.len() <= METADATA_BYTES && is_shallow(text)).then_some(text)
    })
}

impl Sent<'_> {
    fn job(&self) -> NewJob<'_> {
        let unique = self.unique.as_ref().map(|(key, hold)| Unique {
            key: key.as_bytes(),
            hold: *hold,
        });
        NewJob { unique, ..self.job }
    }
}

fn tell_one(queue: &QueueName, jobs: &[InsertedJob]) -> Result<Response, Problem> {
    let [job] = jobs else {
        return Err(Problem::new(
            Kind::StoreLost,
            "Redis gave an answer for other jobs than were sent.",
        ));
    };
    let id = match job {
        InsertedJob::Stored(id) | InsertedJob::Duplicate(id) => id,
    };
    let location = format!("/v1/queues/{}/jobs/{id}", encode_segment(queue.as_str()));
    let response = told(status(jobs), |o| write_inserted(o, queue, job));
    Ok(with_header(response, LOCATION, location))
}

fn tell_many(queue: &QueueName, jobs: &[InsertedJob]) -> Response {
    told(status(jobs), |o| {
        o.array("jobs", jobs, |out, job| {
            push_object(out, |o| write_inserted(o, queue, job));
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

fn write_inserted(o: &mut Object<'_>, queue: &QueueName, job: &InsertedJob) {
    match job {
        InsertedJob::Stored(id) => o.text("id", id.as_str()).text("queue", queue.as_str()),
        InsertedJob::Duplicate(id) => {
            o.text("id", id.as_str()).text("queue", queue.as_str());
            o.plain("duplicate", true)
        }
    };
}
