//! What a platform offers for responses that go on, chunk by chunk, for as long as somebody reads them.

use std::time::Duration;

/// The platform's end of a stream: takes its chunks, and lets time pass.
pub trait ChunkSink {
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
