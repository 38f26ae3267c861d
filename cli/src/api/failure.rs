//! Why a request did not succeed, and what is known of its effect.

use crate::output::printable;
use reqwest::{Method, Response, Url};
use serde::Deserialize;
use std::fmt;
use std::time::Duration;

/// The most that is read of an answer that is an error.
const MAX_TEXT: usize = 64 * 1024;

/// What the types of presque's problems begin with.
const TYPES: &str = "urn:presque:problem:";

/// Why a request did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There was no connection: nothing was sent.
    Unreachable {
        /// The server's address.
        url: String,
        /// What happened.
        why: String,
    },
    /// The connection ended before the answer was there. A request that changes something may have been carried out.
    Lost {
        /// The server's address.
        url: String,
        /// What happened.
        why: String,
        /// The request changes nothing.
        is_safe: bool,
    },
    /// The server answered with an error.
    Problem(Problem),
    /// The answer is not one of presque.
    NotUnderstood {
        /// The server's address.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

/// An error that the server answered: of RFC 9457 if it comes from `/v1`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    /// The status of the answer.
    pub(crate) status: u16,
    /// `urn:presque:problem:` and the name.
    pub(crate) r#type: String,
    /// In a few words.
    pub(crate) title: String,
    /// For people.
    pub(crate) detail: String,
    /// Which member of the request is wrong.
    pub(crate) pointer: Option<String>,
    /// Which parameter of the query is wrong.
    pub(crate) parameter: Option<String>,
    /// Seconds, as the server says, before it is of use to try again.
    #[serde(skip)]
    pub(crate) retry_after: Option<u64>,
}

impl Problem {
    /// Whether it has this name: the last part of its type.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.r#type.strip_prefix(TYPES) == Some(name)
    }

    /// Reads an answer that is an error.
    pub(super) async fn read(mut response: Response) -> Self {
        let status = response.status();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let mut body = Vec::new();
        while body.len() < MAX_TEXT
            && let Ok(Some(bytes)) = response.chunk().await
        {
            body.extend_from_slice(&bytes);
        }
        let mut problem: Self = serde_json::from_slice(&body).unwrap_or_default();
        if problem.title.is_empty() {
            problem.title = status.canonical_reason().unwrap_or("an unknown status").to_owned();
        }
        problem.status = status.as_u16();
        problem.retry_after = retry_after;
        problem
    }
}

impl Failure {
    pub(super) fn sending(url: &Url, method: &Method, error: reqwest::Error) -> Self {
        let (url, is_connect) = (url.to_string(), error.is_connect());
        let why = reason(&error);
        match is_connect {
            true => Self::Unreachable { url, why },
            false => Self::Lost {
                url,
                why,
                is_safe: method.is_safe(),
            },
        }
    }

    /// Whether the same request may succeed later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } => true,
            Self::Problem(problem) => matches!(problem.status, 408 | 429 | 500 | 502 | 503 | 504 | 507),
            Self::NotUnderstood { .. } => false,
        }
    }

    /// Whether the request may have been carried out.
    pub(crate) fn leaves_open(&self) -> bool {
        match self {
            Self::Lost { is_safe, .. } => !is_safe,
            Self::Problem(problem) => match problem.status {
                500 | 502 | 504 => true,
                // Of a proxy, whose connection to the server may have ended under way.
                503 => problem.is("store-lost") || !problem.r#type.starts_with(TYPES),
                _ => false,
            },
            Self::Unreachable { .. } | Self::NotUnderstood { .. } => false,
        }
    }

    /// How long the server asks to wait before the next try.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem(problem) => problem.retry_after.map(Duration::from_secs),
            _ => None,
        }
    }

    /// Whether it is the problem of this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Problem(problem) if problem.is(name))
    }
}

/// The innermost cause: what is around it says no more.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { url, why } => write!(
                f,
                "{url} cannot be reached: {why}. Is the server running (`presque up`)? --url or PRESQUE_URL says where it is"
            ),
            Self::Lost { url, why, is_safe } => {
                write!(f, "the answer of {url} was lost: {why}")?;
                if *is_safe {
                    Ok(())
                } else {
                    write!(f, ". The request may have been carried out")
                }
            }
            Self::NotUnderstood { url, why } => write!(f, "{url} answered what presque does not: {why}"),
            Self::Problem(problem) => problem.fmt(f),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", printable(&self.title), self.status)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", printable(self.detail.trim_end_matches('.')))?;
        }
        if let Some(place) = self.pointer.as_ref().or(self.parameter.as_ref()) {
            write!(f, ", at {}", printable(place))?;
        }
        match self.status {
            401 => write!(f, ". Give a key by PRESQUE_KEY or --key-file"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
