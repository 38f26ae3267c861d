//! Responses that go on, chunk by chunk, for as long as somebody reads them.

use super::subscription::Subscription;
use crate::web::Response;
use std::time::Duration;

/// What the dialect responds with: all of it at once, or a stream.
#[derive(Debug)]
pub enum Answer {
    /// All of it.
    Whole(Response),
    /// The head of a stream, and what sends the rest.
    Stream(http::Response<()>, Subscription),
}

/// The platform's end of a stream: takes its chunks, and lets time pass.
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
