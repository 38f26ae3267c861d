//! The responses of the dialect when it does not do what was asked: problems as of RFC 9457, from one table.

use crate::gate::{Denied, NotGiven};
use crate::queue::NameError;
use crate::store::{Effect, RedisError};
use crate::web::json::{Object, Style, object};
use crate::web::{
    BodyError, JsonError, Response, accept_identity, allow, challenge, with_body, with_header, with_type,
};
use http::StatusCode;
use http::header::RETRY_AFTER;

/// What every type begins with.
const PREFIX: &str = "urn:presque:problem:";

/// The types of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProblemType {
    AmbiguousHost,
    CrossSiteRequest,
    IdempotencyKeyReused,
    IncompleteBody,
    InvalidIdempotencyKey,
    InvalidQueueName,
    InvalidReceipt,
    InvalidRequest,
    JobCancelled,
    KeyNeeded,
    MalformedJson,
    MethodNotAllowed,
    MisdirectedRequest,
    NoSuchJob,
    NoSuchQueue,
    NotConfigured,
    NotFound,
    PayloadTooLarge,
    PreconditionFailed,
    ScopeMissing,
    StaleReceipt,
    StoreFull,
    StoreLost,
    StoreRefused,
    StoreUnreachable,
    UnsupportedMediaType,
}

impl ProblemType {
    /// The type without its prefix, the status, and the title that all problems of the type have.
    fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::AmbiguousHost => ("ambiguous-host", 400, "The request names more than one host"),
            Self::CrossSiteRequest => ("cross-site-request", 403, "The request is for a page of another site"),
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                422,
                "The Idempotency-Key was used for another request",
            ),
            Self::IncompleteBody => ("incomplete-body", 400, "The body is incomplete"),
            Self::InvalidIdempotencyKey => ("invalid-idempotency-key", 400, "The Idempotency-Key is invalid"),
            Self::InvalidQueueName => ("invalid-queue-name", 400, "The queue name is invalid"),
            Self::InvalidReceipt => ("invalid-receipt", 400, "The receipt is invalid"),
            Self::InvalidRequest => ("invalid-request", 422, "The request is invalid"),
            Self::JobCancelled => ("job-cancelled", 409, "The job was cancelled"),
            Self::KeyNeeded => ("key-needed", 401, "A valid key is needed"),
            Self::MalformedJson => ("malformed-json", 400, "The body is not JSON"),
            Self::MethodNotAllowed => ("method-not-allowed", 405, "The method is not allowed"),
            Self::MisdirectedRequest => ("misdirected-request", 421, "The request is for another host"),
            Self::NoSuchJob => ("no-such-job", 404, "The job does not exist"),
            Self::NoSuchQueue => ("no-such-queue", 404, "The queue does not exist"),
            Self::NotConfigured => ("not-configured", 503, "The settings of this server are not usable"),
            Self::NotFound => ("not-found", 404, "The route does not exist"),
            Self::PayloadTooLarge => ("payload-too-large", 413, "The body or a payload is too large"),
            Self::PreconditionFailed => ("precondition-failed", 412, "The precondition failed"),
            Self::ScopeMissing => ("scope-missing", 403, "The key lacks a scope"),
            Self::StaleReceipt => ("stale-receipt", 409, "The receipt is stale"),
            Self::StoreFull => ("store-full", 507, "The store is full"),
            Self::StoreLost => ("store-lost", 503, "The store did not answer"),
            Self::StoreRefused => ("store-refused", 503, "The store refused the request"),
            Self::StoreUnreachable => ("store-unreachable", 503, "The store cannot be reached"),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                415,
                "The content type or encoding is not supported",
            ),
        }
    }
}

/// A problem: why a request is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dialect) struct Problem {
    problem_type: ProblemType,
    /// What was wrong, and what is right.
    detail: String,
    extension: Extension,
}

/// What else the response says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Extension {
    Nothing,
    /// The member that is wrong, as a JSON pointer.
    Member(String),
    /// The query parameter that is wrong.
    Parameter(String),
    /// The methods that the route has.
    Methods(&'static str),
    /// The encoding of a body that can be read.
    Encoding,
}

impl Problem {
    pub(super) fn new(problem_type: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            problem_type,
            detail: detail.into(),
            extension: Extension::Nothing,
        }
    }

    /// A member that is wrong.
    pub(super) fn member(pointer: String, detail: impl Into<String>) -> Self {
        Self::with_pointer(ProblemType::InvalidRequest, pointer, detail)
    }

    /// What is wrong with a member, where that has a type of its own.
    pub(super) fn with_pointer(problem_type: ProblemType, pointer: String, detail: impl Into<String>) -> Self {
        Self {
            extension: Extension::Member(pointer),
            ..Self::new(problem_type, detail)
        }
    }

    /// A query parameter that is wrong.
    pub(super) fn parameter(name: &'static str, must: &str) -> Self {
        Self::wrong_parameter(name.to_owned(), format!("`{name}` must be {must}."))
    }

    /// A query parameter that the route lacks; these are those that it has.
    pub(super) fn unknown_parameter(name: String, known: &[&str]) -> Self {
        let detail = format!("There is no parameter `{name}`. This route has {}.", known.join(", "));
        Self::wrong_parameter(name, detail)
    }

    fn wrong_parameter(name: String, detail: String) -> Self {
        Self {
            extension: Extension::Parameter(name),
            ..Self::new(ProblemType::InvalidRequest, detail)
        }
    }

    /// A method that the route lacks; these are those that it has.
    pub(in crate::dialect) fn method_not_allowed(methods: &'static str) -> Self {
        Self {
            extension: Extension::Methods(methods),
            ..Self::new(ProblemType::MethodNotAllowed, format!("This route allows {methods}."))
        }
    }

    /// Writes what was wrong, and with which member.
    pub(super) fn render_detail(&self, o: &mut Object<'_>) {
        o.text("detail", &self.detail);
        match &self.extension {
            Extension::Member(pointer) => o.text("pointer", pointer),
            Extension::Parameter(name) => o.text("parameter", name),
            Extension::Nothing | Extension::Methods(_) | Extension::Encoding => o,
        };
    }

    /// The Redis user lacks the permission for this, where it is known what.
    pub(super) fn forbidden(what: Option<&str>) -> Self {
        let detail = match what {
            Some(what) => {
                format!("The Redis user has no permission for {what}. An operator can give it by ACL SETUSER.")
            }
            None => "The Redis user lacks a permission. GET /v1/health says which.".to_owned(),
        };
        Self::new(ProblemType::StoreRefused, detail)
    }

    #[cfg(test)]
    pub(super) fn pointer(&self) -> Option<&str> {
        match &self.extension {
            Extension::Member(pointer) => Some(pointer),
            _ => None,
        }
    }

    #[cfg(test)]
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        let (name, status, title) = problem.problem_type.row();
        let text = object(Style::Compact, |o| {
            o.text("type", [PREFIX, name].concat()).text("title", title);
            o.plain("status", status);
            problem.render_detail(o);
        });
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let response = with_type(with_body(status, text), "application/problem+json");
        match problem.extension {
            Extension::Methods(methods) => allow(response, methods),
            Extension::Encoding => accept_identity(response),
            _ if status == StatusCode::UNAUTHORIZED => challenge(response),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => with_header(response, RETRY_AFTER, "1"),
            _ => response,
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let problem_type = match denied {
            Denied::NotConfigured => ProblemType::NotConfigured,
            Denied::AmbiguousHost => ProblemType::AmbiguousHost,
            Denied::OtherHost => ProblemType::MisdirectedRequest,
            Denied::OtherSite => ProblemType::CrossSiteRequest,
            Denied::NoKey => ProblemType::KeyNeeded,
            Denied::Scope(_) => ProblemType::ScopeMissing,
        };
        let why = denied.why();
        let (first, rest) = why.split_at(1);
        Self::new(problem_type, format!("{}{rest}.", first.to_uppercase()))
    }
}

impl From<NotGiven> for Problem {
    fn from(not_given: NotGiven) -> Self {
        match not_given {
            NotGiven::Denied(denied) => denied.into(),
            NotGiven::Name(error) => error.into(),
        }
    }
}

impl From<NameError> for Problem {
    fn from(_: NameError) -> Self {
        let detail = "A queue name is 1 to 512 bytes of UTF-8 without control characters, percent-encoded in the path, and not . or ..";
        Self::new(ProblemType::InvalidQueueName, detail)
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::new(
                ProblemType::PayloadTooLarge,
                "The body is larger than this route accepts.",
            ),
            BodyError::Encoded => Self {
                extension: Extension::Encoding,
                ..Self::new(
                    ProblemType::UnsupportedMediaType,
                    "Bodies are not decompressed: Content-Encoding must be identity, or left out.",
                )
            },
            BodyError::Broken => Self::new(
                ProblemType::IncompleteBody,
                "The connection ended before the whole body was received.",
            ),
        }
    }
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::ContentType => Self::new(
                ProblemType::UnsupportedMediaType,
                "Content-Type must be application/json, or end in +json.",
            ),
            JsonError::Body(error) => error.into(),
        }
    }
}

impl From<RedisError> for Problem {
    /// What Redis says is for the log, not for clients.
    fn from(error: RedisError) -> Self {
        match &error {
            RedisError::Unavailable(reason, _) => {
                return Self::new(ProblemType::StoreRefused, format!("{reason}. Nothing was changed."));
            }
            RedisError::Forbidden(why) => return Self::forbidden(denied_command(why)),
            _ => {}
        }
        match error.effect() {
            Effect::NotApplied => Self::new(
                ProblemType::StoreUnreachable,
                "Redis cannot be reached. Nothing was changed.",
            ),
            Effect::Full => Self::new(
                ProblemType::StoreFull,
                "The memory of Redis is full. Nothing was changed. Finishing jobs frees memory.",
            ),
            Effect::Unavailable | Effect::Refused => Self::new(
                ProblemType::StoreRefused,
                "Redis refused the command. The server's log says why.",
            ),
            Effect::Unknown => Self::new(
                ProblemType::StoreLost,
                "Redis did not answer, or too few replicas have the change. The request may have been carried out.",
            ),
        }
    }
}

/// The command that Redis says is not permitted: it stands in quotes. Or the keys.
fn denied_command(why: &str) -> Option<&str> {
    if why.contains("access") {
        return Some("the keys presque:*");
    }
    let command = why.split('\'').nth(1)?;
    let is_command = command.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'|');
    is_command.then_some(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Unavailable;
    use http_body_util::BodyExt;
    use std::collections::BTreeSet;

    const ALL: [ProblemType; 26] = [
        ProblemType::AmbiguousHost,
        ProblemType::CrossSiteRequest,
        ProblemType::IdempotencyKeyReused,
        ProblemType::IncompleteBody,
        ProblemType::InvalidIdempotencyKey,
        ProblemType::InvalidQueueName,
        ProblemType::InvalidReceipt,
        ProblemType::InvalidRequest,
        ProblemType::JobCancelled,
        ProblemType::KeyNeeded,
        ProblemType::MalformedJson,
        ProblemType::MethodNotAllowed,
        ProblemType::MisdirectedRequest,
        ProblemType::NoSuchJob,
        ProblemType::NoSuchQueue,
        ProblemType::NotConfigured,
        ProblemType::NotFound,
        ProblemType::PayloadTooLarge,
        ProblemType::PreconditionFailed,
        ProblemType::ScopeMissing,
        ProblemType::StaleReceipt,
        ProblemType::StoreFull,
        ProblemType::StoreLost,
        ProblemType::StoreRefused,
        ProblemType::StoreUnreachable,
        ProblemType::UnsupportedMediaType,
    ];

    async fn respond(problem: Problem) -> (http::response::Parts, String) {
        let (parts, body) = Response::from(problem).into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts, String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn every_type_has_its_own_name_and_title_and_a_status_of_an_error() {
        let names: BTreeSet<_> = ALL.map(|problem_type| problem_type.row().0).into();
        let titles: BTreeSet<_> = ALL.map(|problem_type| problem_type.row().2).into();
        assert_eq!((names.len(), titles.len()), (ALL.len(), ALL.len()));
        for problem_type in ALL {
            assert!(
                StatusCode::from_u16(problem_type.row().1).unwrap().as_u16() >= 400,
                "{problem_type:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_problem_is_rendered_as_rfc_9457_has_it() {
        let (parts, text) = respond(Problem::member("/a~1b".into(), "No \"x\".")).await;
        assert_eq!(parts.status, 422);
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        assert_eq!(
            text,
            r#"{"type":"urn:presque:problem:invalid-request","title":"The request is invalid","status":422,"detail":"No \"x\".","pointer":"/a~1b"}"#
        );
    }

    #[tokio::test]
    async fn a_failure_of_the_store_can_be_retried_and_says_nothing_of_redis() {
        for error in [
            RedisError::Unreachable("10.0.0.1".into()),
            RedisError::Lost("10.0.0.1".into()),
            RedisError::Refused("10.0.0.1".into()),
            RedisError::Forbidden("no permission for 10.0.0.1".into()),
            RedisError::Unavailable(Unavailable::ReadOnly, "10.0.0.1".into()),
            RedisError::Unexpected("10.0.0.1".into()),
            RedisError::NoScript,
        ] {
            let (parts, text) = respond(error.into()).await;
            assert_eq!(
                (parts.status.as_u16(), &parts.headers["retry-after"]),
                (503, &"1".parse().unwrap())
            );
            assert!(!text.contains("10.0.0.1"), "{text}");
        }
        let (parts, _) = respond(RedisError::Full("OOM".into()).into()).await;
        assert_eq!((parts.status.as_u16(), parts.headers.get("retry-after")), (507, None));
    }
}
