//! The body of an answer whose length nobody knows: it may go on for as long as somebody reads it.

use crate::client::{Client, Next};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_util::sync::DropGuard;
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

/// How long streams have for their end when the host is about to stop. Components that wait are told, and end theirs.
const END: Duration = Duration::from_secs(1);

/// How long a stream that is not sent in chunks, as to a client of HTTP/1.0, goes on without a piece when its reader sends no
/// more.
const IDLE: Duration = Duration::from_secs(1);

/// A stream. Looks after its client: when that has gone, or the host is about to stop, the stream breaks off.
pub(crate) struct Stream {
    body: WasiBody,
    client: Arc<Client>,
    is_chunked: bool,
    /// How many pieces were sent, or tried, lately.
    frames: Arc<AtomicUsize>,
    end: Pin<Box<dyn Future<Output = &'static str> + Send>>,
    /// Ends the waits of its instance when the stream ends before its time.
    over: Option<DropGuard>,
}

impl Stream {
    pub(crate) fn new(
        body: WasiBody,
        client: Arc<Client>,
        is_chunked: bool,
        over: DropGuard,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let frames = Arc::new(AtomicUsize::new(1));
        let (watched, counted) = (client.clone(), frames.clone());
        let end = Box::pin(async move {
            let gone = async {
                if is_chunked {
                    watched.gone().await;
                } else {
                    // Nothing can be sent ahead. Who sends no more, and is sent nothing, is taken for gone.
                    let _ = watched.half_closed().await;
                    while counted.swap(0, Relaxed) > 0 {
                        tokio::time::sleep(IDLE).await;
                    }
                }
            };
            let stopped = async {
                stop.await;
                tokio::time::sleep(END).await;
            };
            tokio::select! {
                () = gone => "its reader is gone",
                () = stopped => "the host is stopping",
            }
        });
        Self {
            body,
            client,
            is_chunked,
            frames,
            end,
            over: Some(over),
        }
    }

    fn has_to_end(&mut self, cx: &mut Context<'_>) -> bool {
        let end = self.end.as_mut().poll(cx);
        if let Poll::Ready(why) = end {
            tracing::debug!("a stream was broken off: {why}");
        }
        end.is_ready()
    }

    pub(crate) fn boxed(self) -> WasiBody {
        self.boxed_unsync()
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = &mut *self;
        if this.is_chunked {
            if this.has_to_end(cx) {
                return Poll::Ready(Some(Err(HttpError::ConnectionTerminated)));
            }
            if this.client.is_being_asked() {
                // What is sent now may be lost. The clock of the above goes on.
                return Poll::Pending;
            }
        }
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        match &polled {
            Poll::Ready(None) => {
                this.client.expect(None);
                this.over.take().map(DropGuard::disarm);
            }
            Poll::Ready(Some(_)) => {
                this.frames.fetch_add(1, Relaxed);
            }
            Poll::Pending if this.is_chunked => this.client.expect(Some(Next::Chunk)),
            Poll::Pending if this.has_to_end(cx) => return Poll::Ready(Some(Err(HttpError::ConnectionTerminated))),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
