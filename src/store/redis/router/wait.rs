//! Waits on lists that may be on several nodes.

use super::{Connector, Detour, Node, Router, slot_of};
use crate::store::redis::{RedisError, Reply};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::time::Duration;

/// How often a wait begins again at once, as redirections say.
const MAX_TRIES: u32 = 5;

/// How long a wait pauses when a node cannot tell now. Then it says that nothing came, and its caller looks by itself.
const PAUSE: Duration = Duration::from_millis(100);

/// How many slots one wait is for at most, since each takes a connection.
pub(super) const MAX_SLOTS: usize = 16;

/// For how long one waits that is for more: then its caller looks at all, and the next wait is for others.
const MAX_PARTIAL_WAIT: Duration = Duration::from_secs(1);

impl<C: Connector> Router<C> {
    /// Waits for the first of these lists, as BLPOP does. On a cluster one command can wait for lists of one slot alone, so there is one
    /// for each slot, on a connection of its own; of very many slots it waits for some, and not for long. The first that has a token
    /// ends the others. One of these may just have taken a token, which is lost then, as one whose answer is.
    pub(super) async fn wait(&self, name: &str, args: &[&[u8]], max_wait: Duration) -> Result<Vec<Reply>, RedisError> {
        let (mut is_cluster, mut tries) = (self.slots().is_some(), 0);
        loop {
            let target = self.target(args.first().copied())?;
            let result = match is_cluster {
                true => Box::pin(self.wait_on_nodes(name, args, max_wait)).await,
                false => self.node(&target.address).blocking(name, args, max_wait).await,
            };
            let Err(error) = result else { return result };
            tries += 1;
            // What a node says of lists of several slots is the first that a wait may hear of a cluster.
            let is_news =
                matches!(&error, RedisError::Refused(text) if text.to_ascii_uppercase().contains("CROSSSLOT"));
            match Detour::of(&error) {
                None if is_news && !is_cluster => Box::pin(self.learn(None, &target)).await,
                Some(Detour::Moved(address)) if tries < MAX_TRIES => {
                    let address = address.seen_from(&target.address);
                    Box::pin(self.learn(Some(&address), &target)).await;
                }
                Some(detour) if is_cluster => {
                    self.connector.pause(PAUSE).await;
                    // A slot on its way changes nothing of the map: very many that wait must not ask for it all the time.
                    if detour == Detour::LookAgain {
                        Box::pin(self.learn(None, &target)).await;
                    }
                    return Ok(vec![Reply::Nil]);
                }
                _ => return Err(error),
            }
            is_cluster = true;
        }
    }

    async fn wait_on_nodes(&self, name: &str, args: &[&[u8]], max_wait: Duration) -> Result<Vec<Reply>, RedisError> {
        let Some((seconds, lists)) = args.split_last() else {
            return Ok(Vec::new());
        };
        let mut by_slot: Vec<(u16, Vec<&[u8]>)> = Vec::new();
        for list in lists {
            let slot = slot_of(list);
            match by_slot.iter_mut().find(|(of, _)| *of == slot) {
                Some((_, lists)) => lists.push(list),
                None => by_slot.push((slot, vec![list])),
            }
        }
        let (mut seconds, mut max_wait) = (*seconds, max_wait);
        let begin = self.next_turn() % by_slot.len().max(1);
        if by_slot.len() > MAX_SLOTS && max_wait > MAX_PARTIAL_WAIT {
            (seconds, max_wait) = (b"1", MAX_PARTIAL_WAIT);
        }
        let mut waits = FuturesUnordered::new();
        by_slot.rotate_left(begin);
        for (_, mut args) in by_slot.into_iter().take(MAX_SLOTS) {
            let node = self.node(&self.target(args.first().copied())?.address);
            args.push(seconds);
            waits.push(async move { node.blocking(name, &args, max_wait).await });
        }
        let mut none = Vec::new();
        while let Some(reply) = waits.next().await {
            match reply?[..] {
                ref reply @ [Reply::Bytes(_), ..] => return Ok(reply.to_vec()),
                ref reply => none = reply.to_vec(),
            }
        }
        Ok(none)
    }
}
