//! What every dialect needs of HTTP: reading a request within limits, writing an answer.

pub mod json;
mod query;
mod request;
mod response;

pub use query::Query;
pub use request::{BodyError, is_form, is_json, name_after, read_body};
pub use response::{Body, Response, allow, empty, with_body, with_header};

use crate::queue::Limits;
use crate::store::Store;

/// What a handler works with: the store, and how much a client may ask of it.
#[derive(Clone, Debug)]
pub struct Context<R> {
    /// The store that holds the queues.
    pub store: Store<R>,
    /// The limits that the deployment sets.
    pub limits: Limits,
}
