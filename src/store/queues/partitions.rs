//! The partitions of a queue: what is set for it is spread over them. `lua/partition.lua` says what they know.

use crate::queue::{JobId, QueueName};
use crate::store::redis::{Layout, META, QueueKeys, Redis, RedisError, Reply, Store, Turn, WAKEUP, scripts};
use std::cmp::Ordering;
use std::time::Duration;

/// The longest time for which a claim blocks before it asks all partitions again without being woken, for each of them: so it sends
/// less than one command a second.
const BLOCK_PER_PARTITION: Duration = Duration::from_secs(1);
/// And what comes on top of that.
const MIN_BLOCK: Duration = Duration::from_secs(4);

/// What all partitions of a queue know, as one has it.
struct Shared {
    version: u64,
    /// Packed, with the layout.
    settings: Vec<u8>,
    status: Vec<u8>,
    policy: Vec<u8>,
}

impl<R: Redis> Store<R> {
    /// A partition has another layout than the one of this version, by which it was asked: finds out which holds, and brings the
    /// partition to it if it is behind. One or two commands, or none where partition 0 said that another one holds.
    ///
    /// Where the partition knows something later than partition 0, a failover has taken that back: then all are brought to it.
    ///
    /// # Errors
    /// [`RedisError`]. It changes nothing that is not so already.
    pub(in crate::store) async fn follow(
        &self,
        queue: &QueueName,
        partition: u8,
        version: u64,
    ) -> Result<(), RedisError> {
        let told = self.layout(queue).version;
        if partition == 0 && told != version {
            return Ok(());
        }
        let Some(shared) = self.shared(queue, 0).await? else {
            return Ok(());
        };
        let is_ahead = match told.cmp(&version) {
            _ if partition == 0 => false,
            Ordering::Less => false,
            Ordering::Equal => !self.adopt(queue, partition, &shared).await?,
            Ordering::Greater => told > shared.version,
        };
        if !is_ahead {
            return Ok(());
        }
        match self.shared(queue, partition).await? {
            Some(later) if later.version > shared.version => {
                self.adopt(queue, 0, &later).await?;
                self.spread(queue).await
            }
            _ => Ok(()),
        }
    }

    /// The same, where a partition was seen to be out of step by an operation that does not depend on it.
    pub(in crate::store) async fn follow_if_seen(&self, queue: &QueueName) {
        let out_of_step = self.hints.take_out_of_step(QueueKeys::new(queue).owner().1);
        if let Some(partition) = out_of_step {
            // The next one that sees it does it again.
            let _ = self.follow(queue, partition, self.layout(queue).version).await;
        }
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
        let Some(shared) = self.shared(queue, 0).await? else {
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

    /// Asks a partition what all must know. `None` where it has no layout; of partition 0 that means that the queue has none.
    async fn shared(&self, queue: &QueueName, partition: u8) -> Result<Option<Shared>, RedisError> {
        let keys = QueueKeys::partition(queue, partition);
        let meta = keys.key(META.name());
        let fields: [&[u8]; 4] = [meta.as_bytes(), b"settings", b"status", b"policy"];
        let mut values = self.redis.command("HMGET", &fields).await?.into_iter();
        let mut value = || match values.next() {
            Some(Reply::Bytes(bytes)) => bytes,
            _ => Vec::new(),
        };
        let (settings, status, policy) = (value(), value(), value());
        let (partition, name) = keys.owner();
        let Some(layout) = Layout::behind(&settings) else {
            if partition == 0 {
                self.hints.forget(name);
            }
            return Ok(None);
        };
        let version = layout.version;
        self.hints.learn(name, partition, layout);
        Ok(Some(Shared {
            version,
            settings,
            status,
            policy,
        }))
    }

    /// Gives a partition what all must know. Whether it was behind.
    async fn adopt(&self, queue: &QueueName, partition: u8, shared: &Shared) -> Result<bool, RedisError> {
        let first_number = JobId::first_number(partition).to_string();
        let args = [
            &shared.settings[..],
            &shared.status,
            &shared.policy,
            first_number.as_bytes(),
        ];
        let keys = QueueKeys::partition(queue, partition);
        let script = &scripts::ADOPT_SETTINGS;
        self.run_with(script, &keys, Vec::new(), &args).await?.flag()
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
