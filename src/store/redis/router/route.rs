//! Sending a command to where it belongs.

use super::detour::Detour;
use super::slots::{Slots, first_key, hash_tag, slot_of};
use super::{Address, Command, Connector, Node, Replication, Router};
use crate::store::redis::keys::replication_mark;
use crate::store::redis::{RedisError, Reply};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a command is sent elsewhere at once, as redirections say, before it pauses.
const MAX_HOPS: u32 = 5;

/// The times between further tries, in milliseconds: 1.3 s together. A slot with few keys moves in less. A failover takes longer.
const PAUSES: [u64; 7] = [10, 20, 40, 80, 160, 320, 640];

/// For how long a command is sent again to a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Marks a change, so that WAIT waits for a change that came before, too: it waits for what its own connection changed last,
/// and an answer may tell of what another one did. To remove comes first, which a full server lets pass, and then what follows.
const MARK: &str = "redis.call('UNLINK', KEYS[1]) redis.call('SET', KEYS[1], '', 'PX', 1000)";

/// Where a command is sent.
pub(super) struct Target {
    pub(super) address: Address,
    /// What its choice was made by.
    pub(super) slots: Option<Arc<Slots>>,
    /// It has the slot on its way.
    is_asked: bool,
}

impl<C: Connector> Router<C> {
    /// Where a command on a key goes, or one without.
    pub(super) fn target(&self, key: Option<&[u8]>) -> Result<Target, RedisError> {
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
    pub(super) async fn route(
        &self,
        name: &str,
        args: &[&[u8]],
        must_replicate: bool,
    ) -> Result<Vec<Reply>, RedisError> {
        let mut failed = None;
        if !(must_replicate && self.replication.is_some())
            && let Some((address, server)) = self.only_server()
        {
            match server.command(name, args).await {
                Err(error) if Detour::of(&error).is_some() => failed = Some((address, error)),
                result => return result,
            }
        }
        // On the heap: each operation's future has this one in it, and would be so much larger.
        Box::pin(self.find_way((name, args), must_replicate, failed)).await
    }

    /// Runs a command that was not sent yet, or that did nothing at this address, for this reason.
    async fn find_way(
        &self,
        command: Command<'_>,
        must_replicate: bool,
        failed: Option<(Arc<Address>, RedisError)>,
    ) -> Result<Vec<Reply>, RedisError> {
        let key = first_key(command.0, command.1);
        let (begun, mut target) = (Instant::now(), self.target(key)?);
        // What a server said is no news when another request has heard it, and goes elsewhere already.
        let failed = failed.filter(|(address, _)| target.slots.is_none() && target.address == **address);
        let mut failed = failed.map(|(_, error)| error);
        let (mut hops, mut pauses, mut seeds) = (0, PAUSES.into_iter(), 1);
        loop {
            let error = match failed.take() {
                Some(error) => error,
                None => match self.send(&target, command, must_replicate).await {
                    Ok(reply) => return Ok(reply),
                    Err(error) => error,
                },
            };
            match Detour::of(&error) {
                Some(Detour::Moved(address)) if hops < MAX_HOPS => {
                    hops += 1;
                    let address = address.seen_from(&target.address);
                    self.learn(Some(&address), &target).await;
                    target = Target {
                        address,
                        ..self.target(key)?
                    };
                }
                Some(Detour::Ask(address)) if hops < MAX_HOPS => {
                    hops += 1;
                    target.address = address.seen_from(&target.address);
                    target.is_asked = true;
                }
                Some(detour) if target.slots.is_some() || detour.is_of_cluster(&error) => {
                    let Some(pause) = pauses.next() else {
                        return Err(error);
                    };
                    self.connector.pause(Duration::from_millis(pause)).await;
                    if detour != Detour::Later || target.slots.is_none() {
                        self.learn(None, &target).await;
                    }
                    let next = self.target(key)?;
                    // One that is silent has taken its time.
                    if begun.elapsed() > PATIENCE && next.address == target.address {
                        return Err(error);
                    }
                    (target, hops) = (next, 0);
                }
                Some(_) if seeds < self.seeds.len() => {
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
            state.only_server = None;
        }
    }

    async fn send(
        &self,
        target: &Target,
        command: Command<'_>,
        must_replicate: bool,
    ) -> Result<Vec<Reply>, RedisError> {
        let node = self.node(&target.address);
        match self.replication.filter(|_| must_replicate) {
            Some(replication) => replicate(&*node, target, command, replication).await,
            None if target.is_asked => {
                let results = node.in_a_row(&[ASKING, command]).await;
                results.into_iter().last().unwrap_or_else(nothing_sent)
            }
            None => node.command(command.0, command.1).await,
        }
    }
}

/// Lets the next command of its connection in, where its slot is on its way.
const ASKING: Command<'static> = ("ASKING", &[]);

/// Runs a command, and waits until replicas have all that came up to then.
async fn replicate(
    node: &impl Node,
    target: &Target,
    command: Command<'_>,
    wanted: Replication,
) -> Result<Vec<Reply>, RedisError> {
    let key = replication_mark(hash_tag(first_key(command.0, command.1).unwrap_or_default()));
    let (replicas, timeout) = (wanted.replicas.to_string(), wanted.timeout.as_millis().to_string());
    let mark: [&[u8]; 3] = [MARK.as_bytes(), b"1", &key];
    let wait = [replicas.as_bytes(), timeout.as_bytes()];
    let asking = [ASKING].into_iter().filter(|_| target.is_asked);
    let mut commands: Vec<Command<'_>> = asking.clone().collect();
    let place = commands.len();
    commands.push(command);
    commands.extend(asking);
    commands.extend([("EVAL", &mark[..]), ("WAIT", &wait[..])]);

    let mut results = node.in_a_row(&commands).await;
    let is_carried_out = results.get(place).is_some_and(Result::is_ok);
    match results.pop().unwrap_or_else(nothing_sent) {
        Ok(last) if results.len() + 1 == commands.len() => match last[..] {
            [Reply::Int(count)] if count >= i64::from(wanted.replicas) => results.swap_remove(place),
            _ => Err(RedisError::NotReplicated(format!(
                "fewer than {replicas} had the change within {timeout} ms"
            ))),
        },
        Ok(_) => Err(RedisError::Lost("not all commands were sent".into())),
        Err(error) if is_carried_out => Err(error.after_a_change()),
        Err(error) => Err(error),
    }
}

fn nothing_sent() -> Result<Vec<Reply>, RedisError> {
    Err(RedisError::Unreachable("nothing was sent".into()))
}
