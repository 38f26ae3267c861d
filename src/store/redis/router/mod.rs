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
use route::Target;
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
    fn node(&self, address: &Address) -> Self::Node;

    /// Waits.
    fn pause(&self, time: Duration) -> impl Future<Output = ()>;

    /// Takes a line for the operator's log.
    fn log(&self, line: &str);
}

/// How many replicas must have a change before it is told of, and how long they are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replication {
    /// At least 1.
    pub replicas: u32,
    /// At least a millisecond.
    pub timeout: Duration,
}

/// A way to Redis: to a server, or to a cluster.
pub struct Router<C: Connector> {
    connector: C,
    seeds: Vec<Address>,
    replication: Option<Replication>,
    state: Mutex<State<C::Node>>,
}

struct State<N> {
    /// Few, so they are looked for one by one.
    nodes: Vec<(Address, Arc<N>)>,
    /// The seed that is used, where there is no cluster; and the server there, once it was needed.
    seed: usize,
    only_server: Option<(Arc<Address>, Arc<N>)>,
    /// Where slots are, once there is known to be a cluster.
    slots: Option<Arc<Slots>>,
    is_learning: bool,
    /// Counts waits, so that each begins elsewhere.
    turn: usize,
}

impl<N> State<N> {
    /// The server at an address.
    fn node(&mut self, address: &Address, connector: &impl Connector<Node = N>) -> Arc<N> {
        if let Some((_, node)) = self.nodes.iter().find(|(known, _)| known == address) {
            return node.clone();
        }
        let node = Arc::new(connector.node(address));
        self.nodes.push((address.clone(), node.clone()));
        node
    }
}

impl<C: Connector> Router<C> {
    /// A way to what is at one of these addresses: a server, or nodes of a cluster, of which one that answers is enough. Of several servers
    /// the first is used that takes changes.
    #[must_use]
    pub fn new(connector: C, seeds: Vec<Address>, replication: Option<Replication>) -> Self {
        Self {
            connector,
            seeds,
            replication,
            state: Mutex::new(State {
                nodes: Vec::new(),
                seed: 0,
                only_server: None,
                slots: None,
                is_learning: false,
                turn: 0,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<C::Node>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_turn(&self) -> usize {
        let mut state = self.state();
        state.turn = state.turn.wrapping_add(wait::MAX_SLOTS);
        state.turn
    }

    fn slots(&self) -> Option<Arc<Slots>> {
        self.state().slots.clone()
    }

    /// The server that is used, as far as there is no cluster.
    fn only_server(&self) -> Option<(Arc<Address>, Arc<C::Node>)> {
        let mut state = self.state();
        if state.slots.is_some() {
            return None;
        }
        if state.only_server.is_none() {
            let address = self.seeds.get(state.seed)?;
            let server = state.node(address, &self.connector);
            state.only_server = Some((Arc::new(address.clone()), server));
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
        if self.slots().is_none() {
            let target = self.target(None)?;
            let reply = self.route(name, args, false).await?;
            if says_cluster(&reply) {
                self.learn(None, &target).await;
            }
            if self.slots().is_none() {
                return Ok(vec![reply]);
            }
        }
        let target = self.target(None)?;
        match self.ask_each(&target, name, args).await {
            Err(error) if Detour::of(&error).is_some() => {
                self.learn(None, &target).await;
                self.ask_each(&self.target(None)?, name, args).await
            }
            result => result,
        }
    }

    async fn ask_each(&self, target: &Target, name: &str, args: &[&[u8]]) -> Result<Vec<Vec<Reply>>, RedisError> {
        let mut replies = Vec::new();
        for address in target.slots.iter().flat_map(|slots| slots.primaries()) {
            replies.push(self.node(address).command(name, args).await?);
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
