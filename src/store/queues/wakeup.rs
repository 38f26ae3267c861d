//! Waiting for a job: on a list of tokens, never on jobs. `lua/wakeup.lua` pushes the tokens.

use crate::queue::QueueName;
use crate::store::redis::{QueueKeys, Redis, RedisError, Reply, Store, WAKEUP, scripts};
use std::time::Duration;

/// The longest time for which a claim on few queues blocks before it asks again without being woken.
const MAX_BLOCK: Duration = Duration::from_secs(6);

impl<R: Redis> Store<R> {
    /// Waits until there may be a job on one of the queues, at most for this time. Gives the index of the queue that it was
    /// woken for.
    pub(in crate::store) async fn wait(
        &self,
        queues: &[QueueName],
        max_wait: Duration,
    ) -> Result<Option<usize>, RedisError> {
        // To ask again costs one script for each queue, a BLPOP and a PING. The time grows with the queues, so that a claim
        // that waits sends less than one command a second.
        let max_block = MAX_BLOCK.max(Duration::from_secs(queues.len() as u64 + 4));
        let lists: Vec<String> = queues
            .iter()
            .map(|queue| QueueKeys::new(queue).key(WAKEUP.name()))
            .collect();
        let woken = self.wait_for_token(&lists, max_wait.min(max_block)).await?;
        Ok(woken.and_then(|woken| lists.iter().position(|list| list.as_bytes() == woken)))
    }

    /// Takes a token from the first of these lists that has one, and gives the list. `None` after this time.
    pub(in crate::store) async fn wait_for_token(
        &self,
        lists: &[String],
        max_wait: Duration,
    ) -> Result<Option<Vec<u8>>, RedisError> {
        // Two milliseconds more, so that what is waited for is due when this ends. BLPOP with 0 would block for ever, and in Redis 6.2
        // with 1 ms, too.
        let max_wait = max_wait + Duration::from_millis(2);
        let seconds = format!("{:.3}", max_wait.as_secs_f64());
        let mut args: Vec<&[u8]> = lists.iter().map(String::as_bytes).collect();
        args.push(seconds.as_bytes());
        // A token that is lost with its answer costs some seconds at most, so whatever fails here has changed nothing.
        let popped = self.redis.blocking("BLPOP", &args, max_wait).await;
        let popped = popped.map_err(RedisError::without_effect)?;
        Ok(match popped.into_iter().next() {
            Some(Reply::Bytes(list)) => Some(list),
            _ => None,
        })
    }

    /// Puts back a token that woke this claim in vain: it got its jobs elsewhere. If that fails, the next claim that waits
    /// asks by itself within seconds.
    pub(in crate::store) async fn pass_wakeup_on(&self, queue: &QueueName, partition: u8) {
        let list = QueueKeys::partition(queue, partition).key(WAKEUP.name());
        let _ = self.redis.command("RPUSH", &[list.as_bytes(), b"1"]).await;
        let _ = self.redis.command("PEXPIRE", &[list.as_bytes(), b"10000"]).await;
    }

    /// Wakes subscribers. One that is not woken polls by itself within seconds.
    pub(in crate::store) async fn notify(&self, queue: &QueueName, partition: u8, subscribers: &[Vec<u8>]) {
        let keys = QueueKeys::partition(queue, partition);
        let wakeup = |subscriber: &Vec<u8>| keys.wakeup_of(&String::from_utf8_lossy(subscriber));
        let wakeups: Vec<String> = subscribers.iter().map(wakeup).collect();
        if !wakeups.is_empty() {
            let _ = self.run_with(&scripts::NOTIFY, &keys, wakeups, &[]).await;
        }
    }
}
