//! Answers that go on, chunk by chunk, for as long as somebody reads them.

use super::{Context, Response};
use crate::store::Redis;
use std::time::Duration;

/// An answer: one that is there, or one that goes on.
#[derive(Debug)]
pub enum Answer<S> {
    /// All of it.
    Whole(Response),
    /// Its head, and what gives the rest.
    Stream(http::Response<()>, S),
}

/// What gives the chunks of an answer.
pub trait Stream {
    /// Sends chunks until there is no more to send, or nobody reads them. The answer ends with this.
    fn run<R: Redis>(self, context: &Context<R>, chunks: &mut impl Chunks) -> impl Future<Output = ()>;
}

/// Where the chunks of an answer go, and the time by which that is done.
pub trait Chunks {
    /// Sends a chunk, which its reader gets as one, where the platform can do that. Waits for as long as the reader is
    /// slow. A reader that went a moment ago may not be found gone yet.
    ///
    /// # Errors
    /// [`Gone`]: it was not sent.
    fn send(&mut self, chunk: Vec<u8>) -> impl Future<Output = Result<(), Gone>>;

    /// Asks whether somebody still reads. Sends nothing, and waits for as long as the reader is slow.
    ///
    /// # Errors
    /// [`Gone`].
    fn probe(&mut self) -> impl Future<Output = Result<(), Gone>>;

    /// Lets time pass.
    fn sleep(duration: Duration) -> impl Future<Output = ()>;
}

/// Nobody reads any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;
