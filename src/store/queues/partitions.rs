//! The partitions of a queue: what is set for it is spread over them. `lua/partition.lua` says what they know.

use crate::queue::{JobId, QueueName};
use crate::store::redis::{Layout, META, QueueKeys, Redis, RedisError, Reply, Store, Turn, WAKEUP, scripts};
use std::time::Duration;

/// The longest time for which a claim blocks before it asks all partitions again without being woken, for each of them: so it sends
/// less than one command a second.
const BLOCK_PER_PARTITION: Duration = Duration::from_secs(1);
/// And what comes on top of that.
const MIN_BLOCK: Duration = Duration::from_secs(4);

/// What all partitions of a queue know, as partition 0 has it.
struct Shared {
    /// Packed, with the layout.
    settings: Vec<u8>,
    status: Vec<u8>,
    policy: Vec<u8>,
}

impl<R: Redis> Store<R> {
    /// A partition has another layout than the one of this version, by which it was asked: finds out which holds, and brings the
    /// partition to it if it is behind. One or two commands, or none where the partition said that it is ahead.
    ///
    /// # Errors
    /// [`RedisError`]. It changes nothing that is not so already.
    pub(in crate::store) async fn follow(
        &self,
        queue: &QueueName,
        partition: u8,
        version: u64,
    ) -> Result<(), RedisError> {
        if self.layout(queue).version != version {
            return Ok(());
        }
        let shared = self.shared(queue).await?;
        if let Some(shared) = shared.filter(|_| partition > 0 && self.layout(queue).version == version) {
            self.adopt(queue, partition, &shared).await?;
        }
        Ok(())
    }

    /// Gives all further partitions of a queue what is set for it by now. One command for each, and one more; none for a queue
    /// that never had any.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub(in crate::store) async fn spread(&self, queue: &QueueName) -> Result<(), RedisError> {
        if self.layout(queue).extent == 1 {
            return Ok(());
        }
        let Some(shared) = self.shared(queue).await? else {
            return Ok(());
        };
        for partition in 1..self.layout(queue).extent {
            self.adopt(queue, partition, &shared).await?;
        }
        Ok(())
    }

    /// Looks whether partitions that get no new jobs have drained, and whether former numbers still matter; then they are forgotten.
    /// One command for each partition that may have jobs, and where something has changed, some more; none where there is nothing to
    /// forget.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub(in crate::store) async fn settle(&self, queue: &QueueName) -> Result<(), RedisError> {
        let layout = self.layout(queue);
        if layout.span == layout.partitions && layout.former.is_empty() {
            return Ok(());
        }
        let version = layout.version.to_string();
        let (mut span, mut is_settled) = (layout.span, true);
        for partition in (0..layout.span).rev() {
            let args = [version.as_bytes()];
            let mut reply = self.run_in(&scripts::HAS_SETTLED, queue, partition, &args).await?;
            let (is_empty, has_settled) = (reply.flag()?, reply.flag()?);
            if is_empty && partition + 1 == span && partition >= layout.partitions {
                span = partition;
            }
            is_settled &= has_settled;
        }
        is_settled &= !layout.former.is_empty();
        if span == layout.span && !is_settled {
            return Ok(());
        }
        let (span, flag) = (span.to_string(), if is_settled { &b"1"[..] } else { b"" });
        let args = [version.as_bytes(), span.as_bytes(), flag];
        self.run_in(&scripts::SETTLE, queue, 0, &args).await?;
        self.spread(queue).await
    }

    /// The same, by one in some claims that find nothing, which had to ask partitions that get no new jobs.
    pub(in crate::store) async fn settle_sometimes(&self, queue: &QueueName) {
        let layout = self.layout(queue);
        if layout.span > layout.partitions && self.hints.next_turn(QueueKeys::new(queue).owner().1, Turn::Idle, 32) == 0
        {
            // The next one does it again.
            let _ = self.settle(queue).await;
        }
    }

    /// Asks partition 0 what all must know. `None` where the queue has no layout.
    async fn shared(&self, queue: &QueueName) -> Result<Option<Shared>, RedisError> {
        let keys = QueueKeys::new(queue);
        let meta = keys.key(META.name());
        let fields: [&[u8]; 4] = [meta.as_bytes(), b"settings", b"status", b"policy"];
        let mut values = self.redis.command("HMGET", &fields).await?.into_iter();
        let mut value = || match values.next() {
            Some(Reply::Bytes(bytes)) => bytes,
            _ => Vec::new(),
        };
        let shared = Shared {
            settings: value(),
            status: value(),
            policy: value(),
        };
        let (partition, name) = keys.owner();
        let Some(layout) = Layout::behind(&shared.settings) else {
            self.hints.forget(name);
            return Ok(None);
        };
        self.hints.learn(name, partition, layout);
        Ok(Some(shared))
    }

    async fn adopt(&self, queue: &QueueName, partition: u8, shared: &Shared) -> Result<(), RedisError> {
        let first_number = JobId::first_number(partition).to_string();
        let args = [
            &shared.settings[..],
            &shared.status,
            &shared.policy,
            first_number.as_bytes(),
        ];
        let keys = QueueKeys::partition(queue, partition);
        self.run_with(&scripts::ADOPT_SETTINGS, &keys, Vec::new(), &args)
            .await?;
        Ok(())
    }

    /// Waits until there may be a job in a partition of one of the queues, at most for this time. Gives the index of the queue and the
    /// partition that it was woken for. It waits on a list for each partition: of the most queues that a claim may name, and the most
    /// partitions that each may have, they are 1,280.
    ///
    /// # Errors
    /// [`RedisError`].
    pub(in crate::store) async fn wait_in_partitions(
        &self,
        queues: &[QueueName],
        max_wait: Duration,
    ) -> Result<Option<(usize, u8)>, RedisError> {
        let spans: Vec<u8> = queues.iter().map(|queue| self.layout(queue).span).collect();
        if spans.iter().all(|span| *span == 1) {
            return Ok(self.wait(queues, max_wait).await?.map(|queue| (queue, 0)));
        }
        let (mut places, mut lists) = (Vec::new(), Vec::new());
        for (index, (queue, span)) in queues.iter().zip(spans).enumerate() {
            // Redis takes a token from the first list that has one: each claim begins elsewhere.
            let start = self.hints.next_turn(QueueKeys::new(queue).owner().1, Turn::Idle, span);
            for partition in (start..span).chain(0..start) {
                places.push((index, partition));
                lists.push(QueueKeys::partition(queue, partition).key(WAKEUP.name()));
            }
        }
        let partitions = u32::try_from(lists.len()).unwrap_or(u32::MAX);
        let max_block = BLOCK_PER_PARTITION.saturating_mul(partitions) + MIN_BLOCK;
        let woken = self.wait_for_token(&lists, max_wait.min(max_block)).await?;
        let at = woken.and_then(|woken| lists.iter().position(|list| list.as_bytes() == woken));
        Ok(at.and_then(|at| places.get(at).copied()))
    }
}
