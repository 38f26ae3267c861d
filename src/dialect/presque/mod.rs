//! The presque dialect, of 2010: jobs in JSON, workers that are named by a header. One module per route group, each usable
//! without the others.

pub mod control;
pub mod queue;
mod refusal;
mod request;
pub mod status;
pub mod worker;

use crate::gate::Denied;
use crate::web::{Response, allow, empty};
use http::StatusCode;
use refusal::Refusal;

/// The response to a request that may not be looked at.
pub(super) fn refuse(denied: Denied) -> Response {
    Refusal::from(denied).into()
}

/// The response to OPTIONS on a route with these methods.
fn respond_options(methods: &'static str) -> Response {
    allow(empty(StatusCode::NO_CONTENT), methods)
}
