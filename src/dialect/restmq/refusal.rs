//! The responses of the dialect when it does not do what was asked.

use super::access::Denied;
use super::form::FormError;
use super::html::escape;
use super::text::html_response;
use crate::gate::{self, NotGiven};
use crate::queue::NameError;
use crate::store::{Effect, RedisError};
use crate::web::{BodyError, Response, accept_identity, allow, challenge, with_header};
use http::StatusCode;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Refusal {
    BadRequest,
    /// Without a login, or with a wrong one.
    Unauthorized,
    /// From a host that may not.
    Forbidden,
    /// It may not do this, whatever group it belongs to.
    Denied(gate::Denied),
    NotFound,
    /// With the methods that the route has.
    MethodNotAllowed(&'static str),
    TooLarge,
    /// The body is compressed.
    Encoded,
    /// A queue has as many subscribers as it can have.
    TooManySubscribers,
    /// With the path of the stream that there is instead. The header `upgrade`, which is due with this status, is for the
    /// platform alone to send: it answers 500 to a component that does.
    Upgrade(String),
    /// The store failed, with what is known of the effect.
    Store(Effect),
}

impl Refusal {
    /// There is no WebSocket at this path, `/ws/{queue}`: the interface that a component is given has no upgrade.
    pub(super) fn of_upgrade(path: &str) -> Self {
        let queue = path.strip_prefix("/ws/").unwrap_or_default();
        Self::Upgrade(format!("/c/{queue}"))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Denied(denied) => denied.status(),
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Upgrade(_) => StatusCode::UPGRADE_REQUIRED,
            Self::TooManySubscribers | Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        let status = refusal.status();
        let title = format!("{}: {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
        let more = match &refusal {
            Refusal::Upgrade(stream) => format!(
                ". There is no WebSocket here; read the event stream at {}",
                escape(stream)
            ),
            Refusal::Denied(denied) => format!(". {}", escape(&denied.why())),
            Refusal::Encoded => ". Content-Encoding must be identity, or left out".to_owned(),
            _ => String::new(),
        };
        let text = format!("<html><title>{title}</title><body>{title}{more}</body></html>");
        let mut response = html_response(text);
        *response.status_mut() = status;
        match refusal {
            Refusal::MethodNotAllowed(methods) => allow(response, methods),
            Refusal::Encoded => accept_identity(response),
            Refusal::Unauthorized => {
                with_header(response, WWW_AUTHENTICATE, "Basic realm=\"RestMQ Restricted Access\"")
            }
            Refusal::Denied(gate::Denied::NoKey) => challenge(response),
            Refusal::TooManySubscribers | Refusal::Store(_) | Refusal::Denied(gate::Denied::NotConfigured) => {
                with_header(response, RETRY_AFTER, "1")
            }
            _ => response,
        }
    }
}

/// For names in fields. Paths without a name are dealt with where they are read.
impl From<NameError> for Refusal {
    fn from(_: NameError) -> Self {
        Self::BadRequest
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge,
            BodyError::Encoded => Self::Encoded,
            BodyError::Broken => Self::BadRequest,
        }
    }
}

impl From<FormError> for Refusal {
    fn from(_: FormError) -> Self {
        Self::BadRequest
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Host => Self::Forbidden,
            Denied::Login => Self::Unauthorized,
        }
    }
}

impl From<gate::Denied> for Refusal {
    fn from(denied: gate::Denied) -> Self {
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

impl From<RedisError> for Refusal {
    fn from(error: RedisError) -> Self {
        Self::Store(error.effect())
    }
}
