//! What every dialect needs of HTTP: reading a request within limits, writing a response.

pub mod json;
mod latin1;
mod object;
mod path;
mod query;
mod request;
mod response;
pub mod time;

pub use latin1::latin1_chars;
pub use path::{decode_segment, encode_segment, name_after, segments};
pub use query::{Query, decode};
pub use request::{BodyError, JsonError, Request, is_form, is_json, is_multipart, media_type};
pub use response::{
    Body, Response, accept_identity, allow, as_script, empty, restrict, with_body, with_header, with_type,
};

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
