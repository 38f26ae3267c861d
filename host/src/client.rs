//! The client at the other end of a connection, and whether it is still there.
//!
//! A client that closes its connection and one that only says that it will send no more look the same from here: the end of
//! what they send. They differ in what follows the next byte that is sent to them: one takes it, the other's system resets the
//! connection. So such a client is sent a byte that comes next in any case, ahead of the rest: the first of a response's head,
//! which is always `H`, or a zero in front of a chunk's length, which does not change the number. To whoever reads it is as if
//! nothing had been done.

use std::io::{self, IoSlice, Result};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// How every head begins that hyper writes, HTTP/1.0 included.
const HEAD: &[u8] = b"HTTP/1.";

/// How many zeros a chunk's length gets in front at most.
const MAX_ZEROS: usize = 7;

/// How long nothing is sent after the first such byte: the time that a reset has to arrive.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The greatest time between two such bytes. When they are used up, the connection's keep-alive goes on asking: a system
/// forgets a connection that its program has closed after a minute, and resets it then.
const MAX_PAUSE: Duration = Duration::from_secs(16);

/// A connection's client.
pub(crate) struct Client {
    stream: TcpStream,
    writing: Mutex<Writing>,
}

/// What is known of the bytes that are written next.
#[derive(Default)]
struct Writing {
    next: Option<Next>,
    /// All that hyper had to write so far is written, since `next` is known.
    flushed: bool,
    /// How many bytes of the next head are sent already.
    head: usize,
    /// How many zeros are sent in front of the next chunk.
    zeros: usize,
    /// The client was asked a moment ago.
    asking: bool,
}

/// What is written next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A response's head.
    Head,
    /// A chunk of a body.
    Chunk,
}

impl Client {
    pub(crate) fn new(stream: TcpStream) -> Arc<Self> {
        Arc::new(Self {
            stream,
            writing: Mutex::default(),
        })
    }

    /// Says what is written next, once what was written before is sent. `None`: nothing is known of it.
    pub(crate) fn expect(&self, next: Option<Next>) {
        let mut writing = self.writing();
        if writing.next != next {
            writing.next = next;
            writing.flushed = false;
        }
    }

    /// Resolves when the client has gone.
    pub(crate) async fn gone(&self) {
        if self.half_closed().await.is_err() {
            return;
        }
        let mut pause = FIRST_PAUSE;
        self.writing().asking = true;
        loop {
            self.ask();
            let reset = self.stream.ready(Interest::ERROR);
            if tokio::time::timeout(pause, reset).await.is_ok() {
                return;
            }
            self.writing().asking = false;
            pause = (pause * 3).min(MAX_PAUSE);
        }
    }

    /// Resolves when the client sends no more: it may have gone, or not. An error says that it has.
    pub(crate) async fn half_closed(&self) -> Result<()> {
        while self.stream.peek(&mut [0]).await? > 0 {
            // Its next request is there already, and hides the end.
            if self.stream.ready(Interest::READABLE).await?.is_read_closed() {
                break;
            }
            tokio::time::sleep(MAX_PAUSE).await;
        }
        Ok(())
    }

    /// Whether the client was asked a moment ago, so that what is sent now could be sent to nobody.
    pub(crate) fn is_being_asked(&self) -> bool {
        self.writing().asking
    }

    /// Sends a byte that comes next in any case, where that is known.
    fn ask(&self) {
        let mut writing = self.writing();
        if !writing.flushed {
            return;
        }
        let (byte, count) = match writing.next {
            Some(Next::Head) => (HEAD.get(writing.head), &mut writing.head),
            Some(Next::Chunk) => (b"0".first().filter(|_| writing.zeros < MAX_ZEROS), &mut writing.zeros),
            None => return,
        };
        // A client that takes nothing now is asked again. One that has gone is found out by the reset.
        if let Some(byte) = byte
            && self.stream.try_write(&[*byte]).is_ok()
        {
            *count += 1;
        }
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes, without what is sent of it already.
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let mut writing = self.writing();
        writing.flushed = false;
        writing.zeros = 0;
        let sent = writing.head.min(bytes.len());
        let rest = bytes.get(sent..).unwrap_or_default();
        let written = if rest.is_empty() {
            0
        } else {
            ready!(self.poll_try(cx, || self.stream.try_write(rest)))?
        };
        writing.head -= sent;
        Poll::Ready(Ok(sent + written))
    }

    fn poll_write_vectored(&self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        let mut writing = self.writing();
        if writing.head > 0 {
            drop(writing);
            let first = buffers.iter().find(|buffer| !buffer.is_empty());
            return self.poll_write(cx, first.map_or(&[], |buffer| buffer));
        }
        writing.flushed = false;
        writing.zeros = 0;
        self.poll_try(cx, || self.stream.try_write_vectored(buffers))
    }

    fn poll_try(&self, cx: &mut Context<'_>, attempt: impl Fn() -> Result<usize>) -> Poll<Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match attempt() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

/// What hyper reads and writes.
pub(crate) struct Socket(pub(crate) Arc<Client>);

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let stream = &self.0.stream;
        loop {
            ready!(stream.poll_read_ready(cx))?;
            match stream.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result.map(drop)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.0.poll_write(cx, bytes)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        self.0.poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// hyper calls this when it has nothing left to write.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut writing = self.0.writing();
        writing.flushed = writing.next.is_some();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(socket2::SockRef::from(&self.0.stream).shutdown(Shutdown::Write))
    }
}
