//! The way to a Redis server or to a cluster of them, whichever is there.
//!
//! Nothing says beforehand what is there: a server that is alone is asked what it would be asked anyway. The first redirection
//! tells that it is a node of a cluster. Then the map of slots is learned, and learned again when a redirection says that it is
//! old, or a node is away.

mod address;
mod detour;
mod slots;
mod wait;

pub use address::Address;

use super::keys::replication_mark;
use super::{Redis, RedisError, Reply};
use detour::Detour;
use slots::{Slots, first_key, hash_tag, slot_of};
use std::collections::BTreeMap;
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

/// How often a command is sent elsewhere at once, as redirections say.
const MAX_HOPS: u32 = 5;

/// The times between further tries, in milliseconds: 1.3 s together. A slot with few keys moves in less. A failover takes longer.
const PAUSES: [u64; 7] = [10, 20, 40, 80, 160, 320, 640];

/// How long a request waits before it checks again whether another one has learned the map of slots.
const LEARNING_PAUSE: Duration = Duration::from_micros(500);

/// Marks a change, so that WAIT waits for a change that came before, too: it waits for what its own connection changed last,
/// and an answer may tell of what another one did. To remove comes first, which a full server lets pass, and then what follows.
const MARK: &str = "redis.call('UNLINK', KEYS[1]) redis.call('SET', KEYS[1], '', 'PX', 1000)";

/// A way to Redis: to a server, or to a cluster.
pub struct Router<C: Connector> {
    connector: C,
    seeds: Vec<Address>,
    replication: Option<Replication>,
    state: Mutex<State<C::Node>>,
}

struct State<N> {
    nodes: BTreeMap<Address, Arc<N>>,
    /// The seed that is used, where there is no cluster.
    seed: usize,
    /// Where slots are, once there is known to be a cluster.
    slots: Option<Arc<Slots>>,
    is_learning: bool,
}

/// Where a command is sent.
struct Target {
    address: Address,
    /// What its choice was made by.
    slots: Option<Arc<Slots>>,
    /// It has the slot on its way.
    is_asked: bool,
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
                nodes: BTreeMap::new(),
                seed: 0,
                slots: None,
                is_learning: false,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<C::Node>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slots(&self) -> Option<Arc<Slots>> {
        self.state().slots.clone()
    }

    fn node(&self, address: &Address) -> Arc<C::Node> {
        let mut state = self.state();
        if let Some(node) = state.nodes.get(address) {
            return node.clone();
        }
        let node = Arc::new(self.connector.node(address));
        state.nodes.insert(address.clone(), node.clone());
        node
    }

    /// Where a command on a key goes, or one without.
    fn target(&self, key: Option<&[u8]>) -> Result<Target, RedisError> {
        let state = self.state();
        let slots = state.slots.clone();
        let primary = slots
            .as_ref()
            .and_then(|slots| slots.primary_of(key.map_or(0, slot_of)));
        let address = primary.or_else(|| self.seeds.get(state.seed)).cloned();
        Ok(Target {
            address: address.ok_or_else(|| RedisError::Unreachable("no address is given".into()))?,
            slots,
            is_asked: false,
        })
    }

    /// Runs a command where it belongs. Sends it again only when it surely did nothing.
    async fn route(&self, name: &str, args: &[&[u8]], must_replicate: bool) -> Result<Vec<Reply>, RedisError> {
        let key = first_key(name, args);
        let mut target = self.target(key)?;
        let (mut hops, mut pauses, mut seeds) = (0, PAUSES.into_iter(), 1);
        loop {
            let error = match self.send(&target, (name, args), must_replicate).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let Some(detour) = Detour::of(&error) else {
                return Err(error);
            };
            hops += 1;
            match detour {
                Detour::Moved(address) if hops <= MAX_HOPS => {
                    let address = address.seen_from(&target.address);
                    self.learn(Some(&address), &target).await;
                    target = Target {
                        address,
                        ..self.target(key)?
                    };
                }
                Detour::Ask(address) if hops <= MAX_HOPS => {
                    target.address = address.seen_from(&target.address);
                    target.is_asked = true;
                }
                _ if target.slots.is_some() => {
                    let Some(pause) = pauses.next() else {
                        return Err(error);
                    };
                    self.connector.pause(Duration::from_millis(pause)).await;
                    if detour == Detour::LookAgain {
                        self.learn(None, &target).await;
                    }
                    target = self.target(key)?;
                }
                _ if seeds < self.seeds.len() => {
                    seeds += 1;
                    self.try_next_seed(&target.address);
                    target = self.target(key)?;
                }
                _ => return Err(error),
            }
        }
    }

    /// Uses the seed behind this one, unless another request does already.
    fn try_next_seed(&self, used: &Address) {
        let mut state = self.state();
        if self.seeds.get(state.seed) == Some(used) {
            state.seed = (state.seed + 1) % self.seeds.len();
        }
    }

    async fn send(
        &self,
        target: &Target,
        command: Command<'_>,
        must_replicate: bool,
    ) -> Result<Vec<Reply>, RedisError> {
        let node = self.node(&target.address);
        let replication = self.replication.filter(|_| must_replicate);
        if !target.is_asked && replication.is_none() {
            return node.command(command.0, command.1).await;
        }
        let mark_key = replication_mark(hash_tag(first_key(command.0, command.1).unwrap_or_default()));
        let needed = replication.map_or(0, |wanted| wanted.replicas);
        let (replicas, timeout) = match replication {
            Some(wanted) => (wanted.replicas.to_string(), wanted.timeout.as_millis().to_string()),
            None => Default::default(),
        };
        let mark: [&[u8]; 3] = [MARK.as_bytes(), b"1", &mark_key];
        let wait = [replicas.as_bytes(), timeout.as_bytes()];
        let mut commands: Vec<Command<'_>> = Vec::with_capacity(5);
        if target.is_asked {
            commands.push(("ASKING", &[]));
        }
        let place = commands.len();
        commands.push(command);
        if replication.is_some() {
            // An instance's ASKING is for one command.
            if target.is_asked {
                commands.push(("ASKING", &[]));
            }
            commands.extend([("EVAL", &mark[..]), ("WAIT", &wait[..])]);
        }
        let mut results = node.in_a_row(&commands).await;
        let is_complete = results.len() == commands.len();
        match results.pop() {
            Some(Err(error)) if results.len() > place => Err(error.after_a_change()),
            Some(Err(error)) => Err(error),
            None => Err(RedisError::Unexpected("nothing was sent".into())),
            Some(Ok(_)) if !is_complete => Err(RedisError::Lost("not all commands were sent".into())),
            Some(Ok(last)) if replication.is_some() => {
                let has_enough = matches!(last[..], [Reply::Int(count)] if count >= i64::from(needed));
                match has_enough {
                    true => results.swap_remove(place),
                    false => Err(RedisError::NotReplicated(format!(
                        "fewer than {replicas} had the change within {timeout} ms"
                    ))),
                }
            }
            Some(Ok(last)) => Ok(last),
        }
    }

    /// Learns where slots are, unless another request has since this target was chosen. `owner` is said to have a slot. The target, which may
    /// be away, is asked last.
    async fn learn(&self, owner: Option<&Address>, target: &Target) {
        let is_newer = |state: &State<C::Node>| match (&state.slots, &target.slots) {
            (Some(slots), Some(used)) => !Arc::ptr_eq(slots, used),
            (slots, _) => slots.is_some(),
        };
        let (is_first, known) = {
            let mut state = self.state();
            if is_newer(&state) {
                return;
            }
            (!std::mem::replace(&mut state.is_learning, true), state.slots.clone())
        };
        if !is_first {
            while self.state().is_learning {
                self.connector.pause(LEARNING_PAUSE).await;
            }
            return;
        }
        let _learning = Learning(self);
        let primaries = known.iter().flat_map(|slots| slots.primaries());
        let others = primaries
            .chain(&self.seeds)
            .filter(|address| **address != target.address);
        for address in owner.into_iter().chain(others).chain([&target.address]) {
            let reply = self.node(address).command("CLUSTER", &[b"SLOTS"]).await;
            match reply.map(|reply| Slots::read(&reply, address)) {
                Ok(Some(slots)) => {
                    self.use_slots(slots);
                    return;
                }
                // Without the map each command asks its way.
                Err(error @ (RedisError::Forbidden(_) | RedisError::Refused(_))) => {
                    self.connector.log(&error.to_string());
                }
                Ok(None) | Err(_) => {}
            }
        }
    }

    fn use_slots(&self, slots: Slots) {
        let mut state = self.state();
        let primaries = slots.primaries();
        // What was a primary may be away for good.
        state.nodes.retain(|address, _| primaries.contains(&address));
        state.slots = Some(Arc::new(slots));
    }

    fn log_failure<T>(&self, result: &Result<T, RedisError>) {
        match result {
            Ok(_) | Err(RedisError::NoScript | RedisError::Interrupted) => {}
            Err(error) => self.connector.log(&error.to_string()),
        }
    }
}

/// Marks that the map is being learned, until it is dropped.
struct Learning<'a, C: Connector>(&'a Router<C>);

impl<C: Connector> Drop for Learning<'_, C> {
    fn drop(&mut self) {
        self.0.state().is_learning = false;
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
        let result = self.ask_all(name, args).await;
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
