//! What every dialect needs of HTTP: reading a request within limits, writing a response.

pub mod json;
mod latin1;
mod object;
mod path;
mod query;
mod request;
mod response;

pub use latin1::latin1_chars;
pub use path::{decode_segment, encode_segment, name_after, segments};
pub use query::{Query, decode};
pub use request::{BodyError, JsonError, Request, is_form, is_json, is_multipart, media_type};
pub use response::{
    Body, Response, accept_identity, allow, as_script, challenge, drop_basic_challenge, empty, restrict, with_body,
    with_header, with_type,
};

use crate::gate::Caller;
use crate::queue::Limits;
use crate::store::{NameList, Redis, RedisError, Store};

/// What a handler works with: the store, how much a client may ask of it, and who this client is.
#[derive(Debug)]
pub struct Context<R> {
    /// The store that holds the queues.
    pub store: Store<R>,
    /// The limits that the deployment sets.
    pub limits: Limits,
    /// Who sent the request that is handled.
    pub caller: Caller,
}

impl<R: Redis> Context<R> {
    /// The queues that the caller sees.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn visible_queues(&self) -> Result<NameList, RedisError> {
        if self.caller.sees_all() {
            self.store.queues().await
        } else {
            self.store.queues_seen(|stored| self.caller.see(stored)).await
        }
    }
}
