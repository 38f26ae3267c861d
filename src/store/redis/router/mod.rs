//! The way to a Redis server or to a cluster of them, whichever is there.
//!
//! Nothing says beforehand what is there: a server that is alone is asked what it would be asked anyway. The first redirection
//! tells that it is a node of a cluster. Then the map of slots is learned, and learned again when a redirection says that it is
//! old, or a node is away.

mod address;
mod detour;
mod learn;
mod route;
mod slots;
mod wait;

pub use address::Address;

use super::{Redis, RedisError, Reply};
use detour::Detour;
use slots::{Slots, slot_of};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A command and its arguments.
pub type Command<'a> = (&'a str, &'a [&'a [u8]]);

/// One server, which may be a node of a cluster. Its connections are opened when they are needed.
pub trait Node {
    /// As [`Redis::command`].
    fn command(&self, name: &str, args: &[&[u8]]) -> impl Future<Output = Result<Vec<Reply>, RedisError>>;

    /// Runs commands one after another on a connection that no other command uses meanwhile, up to the first that fails. Gives a
    /// result for each that was sent.
    fn in_a_row(&self, commands: &[Command<'_>]) -> impl Future<Output = Vec<Result<Vec<Reply>, RedisError>>>;

    /// As [`Redis::blocking`].
    fn blocking(
        &self,
        name: &str,
        args: &[&[u8]],
        max_wait: Duration,
    ) -> impl Future<Output = Result<Vec<Reply>, RedisError>>;
}

/// What a platform gives a [`Router`].
pub trait Connector {
    /// A server.
    type Node: Node;

    /// The server at an address. Connects to nothing yet.
    /// The server that is used, as far as there is no cluster.
    fn only_server(&self) -> Option<Arc<C::Node>> {
        let mut state = self.state();
        if state.slots.is_some() {
            return None;
        }
        if state.only_server.is_none() {
            let address = self.seeds.get(state.seed)?;
            state.only_server = Some(state.node(address, &self.connector));
        }
        state.only_server.clone()
    }

    fn node(&self, address: &Address) -> Arc<C::Node> {
        self.state().node(address, &self.connector)
    }

    fn log_failure<T>(&self, result: &Result<T, RedisError>) {
        match result {
            Ok(_) | Err(RedisError::NoScript | RedisError::Interrupted) => {}
            Err(error) => self.connector.log(&error.to_string()),
        }
    }
}

impl<C: Connector> Redis for Router<C> {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let result = self.route(name, args, false).await;
        self.log_failure(&result);
        result
    }

    async fn change(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let result = self.route(name, args, true).await;
        self.log_failure(&result);
        result
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], max_wait: Duration) -> Result<Vec<Reply>, RedisError> {
        let result = self.wait(name, args, max_wait).await;
        self.log_failure(&result);
        result
    }

    async fn everywhere(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Vec<Reply>>, RedisError> {
        let result = Box::pin(self.ask_all(name, args)).await;
        self.log_failure(&result);
        result
    }

    fn log(&self, line: &str) {
        self.connector.log(line);
    }
}

impl<C: Connector> Router<C> {
    async fn ask_all(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Vec<Reply>>, RedisError> {
        let mut target = self.target(None)?;
        if target.slots.is_none() {
            let reply = self.route(name, args, false).await?;
            if !says_cluster(&reply) {
                return Ok(vec![reply]);
            }
            self.learn(None, &target).await;
            target = self.target(None)?;
        }
        let mut replies = Vec::new();
        for address in target.slots.iter().flat_map(|slots| slots.primaries()) {
            let reply = self.node(address).command(name, args).await;
            if reply.as_ref().is_err_and(|error| Detour::of(error).is_some()) {
                self.learn(None, &target).await;
            }
            replies.push(reply?);
        }
        Ok(replies)
    }
}

/// Whether the reply to INFO is that of a node of a cluster.
fn says_cluster(reply: &[Reply]) -> bool {
    let says = |text: &[u8]| {
        text.split(|byte| *byte == b'\n')
            .any(|line| line.trim_ascii() == b"cluster_enabled:1")
    };
    matches!(reply, [Reply::Bytes(text)] if says(text))
}
