//! The counts of all queues.

use super::Refusal;
use crate::gate::Operation;
use crate::queue::QueueName;
use crate::store::{Counts, Redis, RedisError};
use crate::web::Context;
use futures_util::stream::{self, StreamExt, TryStreamExt};

/// How many queues are counted at once.
const AT_ONCE: usize = 16;

/// The text that stands for the store in responses. In the original it was what its Redis driver printed of itself.
pub(super) const REDIS_DRIVER: &str = "connected";

/// All queues, and how much there is in the first of them.
pub(super) struct QueueCounts {
    /// How many queues there are.
    pub size: u64,
    /// At most [`NameList::MAX_NAMES`](crate::store::NameList::MAX_NAMES).
    pub first: Vec<(QueueName, Counts)>,
}

impl QueueCounts {
    /// Counts all queues that the caller sees: one command for their names, and one for each.
    pub(super) async fn load<R: Redis>(operation: Operation, context: &Context<R>) -> Result<Self, Refusal> {
        let listed = context.visible_queues().await?;
        let names = listed.names.into_iter().flat_map(QueueName::new);
        let names = names.flat_map(|name| context.caller.queue(operation, name));
        let counts = stream::iter(names).map(async |name| {
            let counts = context.store.counts(&name).await?;
            Ok::<_, RedisError>((name, counts))
        });
        Ok(Self {
            size: listed.size,
            first: counts.buffered(AT_ONCE).try_collect().await?,
        })
    }
}
