//! What every dialect needs of HTTP: reading a request within limits, writing an answer.

mod access;
mod form;
pub mod html;
pub mod json;
mod object;
mod path;
mod query;
mod request;
mod response;
mod stream;
pub mod time;

pub use access::{Access, Denied, Group};
pub(crate) use form::trim;
pub use form::{Fields, FormError};
pub use path::{decode_segment, encode_segment, name_after, segments};
pub use query::{Query, decode};
pub use request::{BodyError, JsonError, Request, is_form, is_json, is_multipart, read_body, read_json};
pub use response::{Body, Response, allow, empty, with_body, with_header, with_type};
pub use stream::{Answer, Chunks, Gone, Stream};

use crate::queue::Limits;
use crate::store::Store;

/// What a handler works with: the store, and how much a client may ask of it.
#[derive(Clone, Debug)]
pub struct Context<R> {
    /// The store that holds the queues.
    pub store: Store<R>,
    /// The limits that the deployment sets.
    pub limits: Limits,
    /// Who may use the dialects that ask for it.
    pub access: Access,
}
