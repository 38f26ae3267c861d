//! Bodies of requests: how long they may take, how much there may be of them at a time, and what becomes of the rest of one
//! that its component does not want.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

/// Of how many bytes the bodies may be that are in the hands of components at a time. A component needs some times as much
/// memory.
const MAX_BYTES: usize = 128 * 1024 * 1024;

/// Bodies up to this size do not count: there are no more of them than connections.
const SMALL: u64 = 16 * 1024;

/// A body counts as this at most: what is larger is refused, or read piece by piece. One that is announced as larger takes
/// room only as it comes, so that it is refused at once, and holds up no other.
const MAX_COUNTED: usize = MAX_BYTES / 2;

/// By so many bytes a body counts as more that takes room as it comes, since its size is not known or is very large.
const STEP: u32 = 64 * 1024;

/// For each so many bytes a body gets a second more.
const BYTES_PER_SECOND: u64 = 64 * 1024;

/// How much is read of what is left of a body that its component did not want, and for how long. A client that is still
/// sending sees an answer only then, and not a broken connection.
const MAX_REST: u64 = 256 * 1024 * 1024;
const REST_TIMEOUT: Duration = Duration::from_secs(30);

/// Room for bodies.
#[derive(Clone)]
pub(crate) struct Room {
    bytes: Arc<Semaphore>,
    /// How long a body may take, beside the time for its size; and how long it may wait for room.
    timeout: Duration,
}

/// What is to be known of a body while its component has it.
pub(crate) struct Reading {
    /// Room for it. Given back when this is dropped.
    _room: Arc<Held>,
    /// Cancelled when it took too long.
    pub(crate) late: CancellationToken,
    /// Cancelled when there is no room for more of it.
    pub(crate) full: CancellationToken,
    /// Cancelled when all of it is read.
    pub(crate) complete: CancellationToken,
}

/// The room that a body takes up.
type Held = Mutex<Vec<OwnedSemaphorePermit>>;

impl Room {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(MAX_BYTES)),
            timeout,
        }
    }

    /// Waits for room, and prepares a body for its component. `None`: there was no room in time.
    pub(crate) async fn take(&self, incoming: Incoming) -> Option<(WasiBody, Reading)> {
        let reserved = self.reserve(incoming.size_hint().exact()).await?;
        let is_reserved = reserved.is_some();
        let held = Arc::new(Mutex::new(Vec::from_iter(reserved)));
        let reading = Reading {
            _room: held.clone(),
            late: CancellationToken::new(),
            full: CancellationToken::new(),
            complete: CancellationToken::new(),
        };
        if incoming.is_end_stream() {
            reading.complete.cancel();
            return Some((incoming.map_err(HttpError::from).boxed_unsync(), reading));
        }
        let body = RequestBody {
            incoming: Some(incoming),
            uncounted: (!is_reserved).then(|| (self.bytes.clone(), held)),
            received: 0,
            start: Instant::now(),
            timeout: self.timeout,
            timer: Box::pin(tokio::time::sleep(self.timeout)),
            late: reading.late.clone(),
            full: reading.full.clone(),
            complete: reading.complete.clone(),
        };
        Some((body.boxed_unsync(), reading))
    }

    /// Waits for room for a body that is announced with this size, where that is neither small nor very large.
    async fn reserve(&self, size: Option<u64>) -> Option<Option<OwnedSemaphorePermit>> {
        let Some(size) = size.filter(|size| (SMALL + 1..=MAX_COUNTED as u64).contains(size)) else {
            return Some(None);
        };
        let room = self.bytes.clone().acquire_many_owned(u32::try_from(size).ok()?);
        tokio::time::timeout(self.timeout, room).await.ok()?.ok().map(Some)
    }
}

struct RequestBody {
    /// `None` when there is no more to read.
    incoming: Option<Incoming>,
    /// Where no room is reserved for it: where room is taken as it comes, and where that is noted.
    uncounted: Option<(Arc<Semaphore>, Arc<Held>)>,
    received: u64,
    start: Instant,
    timeout: Duration,
    timer: Pin<Box<Sleep>>,
    late: CancellationToken,
    full: CancellationToken,
    complete: CancellationToken,
}

impl RequestBody {
    /// Takes room for what has come. Gives whether there was some.
    fn count(&mut self, bytes: u64) -> bool {
        self.received += bytes;
        let Some((room, held)) = &self.uncounted else {
            return true;
        };
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        while held.len() as u64 * u64::from(STEP) + SMALL < self.received && held.len() * (STEP as usize) < MAX_COUNTED
        {
            match room.clone().try_acquire_many_owned(STEP) {
                Ok(more) => held.push(more),
                Err(_) => return false,
            }
        }
        true
    }

    /// Whether it takes too long.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let end = self.start + self.timeout + Duration::from_secs(self.received / BYTES_PER_SECOND);
        if self.timer.deadline() != end {
            self.timer.as_mut().reset(end);
        }
        self.timer.as_mut().poll(cx).is_ready()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = &mut *self;
        let Some(incoming) = &mut this.incoming else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(incoming).poll_frame(cx).map_err(HttpError::from);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if !this.count(frame.data_ref().map_or(0, |data| data.len() as u64)) {
                    this.full.cancel();
                    this.incoming = None;
                    return Poll::Ready(Some(Err(HttpError::ConnectionLimitReached)));
                }
            }
            Poll::Ready(None) => {
                this.incoming = None;
                this.complete.cancel();
            }
            Poll::Ready(Some(Err(_))) => this.incoming = None,
            Poll::Pending => {
                if this.is_late(cx) {
                    this.late.cancel();
                    this.incoming = None;
                    return Poll::Ready(Some(Err(HttpError::ConnectionReadTimeout)));
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let rest = self.incoming.take().filter(|incoming| !incoming.is_end_stream());
        if let (Some(rest), Ok(runtime)) = (rest, tokio::runtime::Handle::try_current()) {
            let complete = self.complete.clone();
            runtime.spawn(async move {
                // What came in that time is enough: a stop waits for this.
                let _ = tokio::time::timeout(REST_TIMEOUT, discard(rest)).await;
                complete.cancel();
            });
        } else {
            self.complete.cancel();
        }
    }
}

/// Reads what is left of a body.
async fn discard(rest: Incoming) {
    let mut rest = pin!(rest);
    let mut read = 0;
    while let Some(Ok(frame)) = rest.frame().await {
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > MAX_REST {
            return;
        }
    }
}
