//! The largest of very many queues, and what is known of the others.

use crate::queue::QueueName;
use crate::store::queues::{Known, Summary};
use crate::store::redis::{Redis, RedisError, Store};
use std::cmp::Reverse;

/// The largest of very many queues, and what is known of the others.
#[derive(Clone, Debug)]
pub struct Largest {
    /// Those with the most jobs, by [`Summary::size`], and the first by name of those that have as many. As they are now.
    pub queues: Vec<Summary>,
    /// The others, in no order, as they were when they were last looked at. `None` for one that was never looked at.
    pub others: Vec<Known>,
}

impl Largest {
    /// How many queues are told of one by one.
    pub const MAX_QUEUES: usize = 200;

    /// At how many queues [`Store::largest`] looks at most to find the largest. Some more looks may be needed to have all of
    /// those as they are now.
    pub const MAX_LOOKED_AT: usize = 1000;
}

impl<R: Redis> Store<R> {
    /// The [`Largest::MAX_QUEUES`] largest of these queues, and what is known of the others. Those that do not exist are left out.
    ///
    /// Where there are more than [`Largest::MAX_LOOKED_AT`], only so many are looked at: those that were the largest, and those
    /// that were not looked at for longest. So it takes some calls until a small queue is known as a large one. One command for
    /// each queue that is looked at, and for more queues those of [`overview`](Store::overview).
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn largest(&self, queues: Vec<QueueName>) -> Result<Largest, RedisError> {
        let mut all = self
            .look_at_some(queues, Largest::MAX_QUEUES, Largest::MAX_LOOKED_AT)
            .await?;
        let size = |summary: &Option<Summary>| summary.as_ref().map_or(0, Summary::size);
        all.sort_unstable_by(|(one, first), (other, second)| {
            let order = Reverse(size(first)).cmp(&Reverse(size(second)));
            order.then_with(|| one.as_str().cmp(other.as_str()))
        });
        let others = all.split_off(all.len().min(Largest::MAX_QUEUES));
        let (mut queues, mut stale) = (Vec::new(), Vec::new());
        for (queue, summary) in all {
            match summary {
                Some(summary) if summary.waits.is_some() => queues.push(summary),
                _ => stale.push(queue),
            }
        }
        queues.extend(self.summaries(&stale).await?);
        Ok(Largest { queues, others })
    }
}
