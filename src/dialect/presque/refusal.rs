//! The responses of the dialect when it does not do what was asked: one table of statuses and texts.

use crate::gate::{Denied, NotGiven};
use crate::queue::NameError;
use crate::store::{Effect, RedisError};
use crate::web::json::{ListError, Style, object};
use crate::web::{BodyError, JsonError, Response, accept_identity, allow, challenge, with_body, with_header};
use http::StatusCode;
use http::header::RETRY_AFTER;
use std::borrow::Cow;

/// Why a request is refused. Legacy clients compare the texts: they are part of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Whoever sent it may not do this.
    Denied(Denied),
    QueueNameMissing,
    QueueNameInvalid,
    /// With the methods that the route has.
    MethodNotAllowed(&'static str),
    ContentType,
    /// The body is compressed.
    ContentEncoding,
    JobMissing,
    JobNotJson,
    JobTooLarge,
    /// The body broke off. Nobody is likely to read this.
    BodyBroken,
    Delayed,
    JobExists,
    NoJob,
    QueueClosed,
    PutInBatch,
    DeleteInBatch,
    JobsNoArray,
    BatchSize,
    ContentMissing,
    ContentNotJson,
    ContentTooLarge,
    /// With the status that was asked for.
    InvalidStatus(String),
    WorkerMissing,
    NoSuchWorker,
    /// More than [`InsertBatch::MAX_JOBS`](crate::store::InsertBatch::MAX_JOBS).
    TooManyJobs,
    /// The store failed, with what is known of the effect.
    Store(Effect),
}

impl Refusal {
    fn status_and_text(&self) -> (StatusCode, Cow<'static, str>) {
        let (status, text) = match self {
            Self::Denied(denied) => return (denied.status(), denied.why().into()),
            Self::QueueNameMissing => (StatusCode::NOT_FOUND, "queue name is missing"),
            Self::QueueNameInvalid => (StatusCode::BAD_REQUEST, "queue name is invalid"),
            Self::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
            Self::ContentType => (StatusCode::BAD_REQUEST, "content-type must be set to application/json"),
            Self::ContentEncoding => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content-encoding must be identity, or left out",
            ),
            Self::JobMissing => (StatusCode::BAD_REQUEST, "job is missing"),
            Self::JobNotJson => (StatusCode::BAD_REQUEST, "job is not valid JSON"),
            Self::JobTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "job is too large"),
            Self::BodyBroken => (StatusCode::BAD_REQUEST, "job is incomplete"),
            Self::Delayed => (StatusCode::BAD_REQUEST, "delayed must be a date in epoch seconds"),
            Self::JobExists => (StatusCode::BAD_REQUEST, "job already exists"),
            Self::NoJob => (StatusCode::NOT_FOUND, "no job"),
            Self::QueueClosed => (StatusCode::NOT_FOUND, "queue is closed"),
            Self::PutInBatch => (StatusCode::BAD_REQUEST, "PUT is not supported in batch mode"),
            Self::DeleteInBatch => (StatusCode::BAD_REQUEST, "DELETE is not supported in batch mode"),
            Self::JobsNoArray => (StatusCode::BAD_REQUEST, "jobs should be an array of job"),
            Self::BatchSize => (StatusCode::BAD_REQUEST, "batch_size must be a number from 1 to 1000"),
            Self::ContentMissing => (StatusCode::BAD_REQUEST, "content is missing"),
            Self::ContentNotJson => (StatusCode::BAD_REQUEST, "content is not valid JSON"),
            Self::ContentTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "content is too large"),
            Self::InvalidStatus(status) => {
                return (StatusCode::BAD_REQUEST, format!("invalid status {status}").into());
            }
            Self::WorkerMissing => (StatusCode::BAD_REQUEST, "worker_id is missing"),
            Self::NoSuchWorker => (StatusCode::NOT_FOUND, "no such worker"),
            Self::TooManyJobs => (StatusCode::PAYLOAD_TOO_LARGE, "a batch has at most 100000 jobs"),
            Self::Store(Effect::NotApplied) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store is out of reach; nothing was changed",
            ),
            Self::Store(Effect::Unknown) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store did not answer; the request may have been carried out",
            ),
            Self::Store(Effect::Unavailable) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store refused the request; nothing was changed",
            ),
            Self::Store(Effect::Refused | Effect::Full) => {
                (StatusCode::SERVICE_UNAVAILABLE, "the store refused the request")
            }
        };
        (status, text.into())
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        let (status, text) = refusal.status_and_text();
        let text = object(Style::Compact, |o| {
            o.text("error", text.as_bytes());
        });
        let response = with_body(status, text);
        match refusal {
            Refusal::MethodNotAllowed(methods) => allow(response, methods),
            Refusal::ContentEncoding => accept_identity(response),
            Refusal::Denied(Denied::NoKey) => challenge(response),
            Refusal::Store(_) | Refusal::Denied(Denied::NotConfigured) => with_header(response, RETRY_AFTER, "1"),
            _ => response,
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<NotGiven> for Refusal {
    fn from(not_given: NotGiven) -> Self {
        match not_given {
            NotGiven::Denied(denied) => denied.into(),
            NotGiven::Name(error) => error.into(),
        }
    }
}

impl From<NameError> for Refusal {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Missing => Self::QueueNameMissing,
            NameError::Invalid => Self::QueueNameInvalid,
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::JobTooLarge,
            BodyError::Encoded => Self::ContentEncoding,
            BodyError::Broken => Self::BodyBroken,
        }
    }
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::ContentType => Self::ContentType,
            JsonError::Body(error) => error.into(),
        }
    }
}

impl From<ListError> for Refusal {
    fn from(error: ListError) -> Self {
        match error {
            ListError::NoObject => Self::JobNotJson,
            ListError::NoArray => Self::JobsNoArray,
        }
    }
}

impl From<RedisError> for Refusal {
    fn from(error: RedisError) -> Self {
        Self::Store(error.effect())
    }
}
