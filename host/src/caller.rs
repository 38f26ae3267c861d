//! Whom a request is served for: what its instance is told when there is nobody left, or the host is about to stop.
//!
//! A component cannot be told directly: the platform's interfaces have nothing for that, and wasmtime cannot cancel a task of a
//! guest. But whatever waits for something waits in the host, on a command of Redis that blocks. That ends with an error.

use crate::client::Client;
use std::sync::{Arc, Weak};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A request, as its instance sees it.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Weak: what an instance remembers must not keep a connection open.
    client: Weak<Client>,
    /// Nobody waits for more of the answer.
    over: CancellationToken,
    /// The head of the answer is there: from then on the answer's body looks after the client.
    begun: CancellationToken,
    stopping: CancellationToken,
}

impl Caller {
    /// Also gives what ends its waits when it is dropped.
    pub(crate) fn new(client: &Arc<Client>, stopping: CancellationToken) -> (Self, DropGuard) {
        let over = CancellationToken::new();
        let caller = Self {
            client: Arc::downgrade(client),
            over: over.clone(),
            begun: CancellationToken::new(),
            stopping,
        };
        (caller, over.drop_guard())
    }

    pub(crate) fn begin(&self) {
        self.begun.cancel();
    }

    /// Resolves when a wait must end, since nobody is left who waits, or the host is about to stop.
    pub(crate) async fn must_not_wait(&self) {
        tokio::select! {
            () = self.stopping.cancelled() => {}
            () = self.over.cancelled() => {}
            () = self.client_gone() => {}
        }
    }

    /// Resolves when the client has gone before its answer has begun.
    async fn client_gone(&self) {
        match self.client.upgrade() {
            Some(client) if !self.begun.is_cancelled() => {
                tokio::select! {
                    () = client.gone() => self.over.cancel(),
                    () = self.begun.cancelled() => std::future::pending().await,
                }
            }
            _ => std::future::pending().await,
        }
    }
}
