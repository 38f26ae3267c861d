//! Waiting for a job: on a list of tokens, never on jobs. `shared/wake.lua` pushes the tokens.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError, Reply};
use crate::queue::QueueName;
use std::time::Duration;

/// How long a claim waits at least before it looks again without being woken.
const ROUND: Duration = Duration::from_secs(6);

impl<R: Redis> Store<R> {
    /// Waits until there may be a job on one of the queues, at most for this time. Gives the queue that it was woken for.
    pub(super) async fn wait(&self, queues: &[QueueName], most: Duration) -> Result<Option<usize>, RedisError> {
        // A round is one script for each queue, this wait, and what asks whether a connection still lives: in so many
        // seconds, that is less than a command a second.
        let round = ROUND.max(Duration::from_secs(queues.len() as u64 + 4));
        // A millisecond more, so that the time has come when this ends. Told 0, Redis would wait for ever.
        let pause = most.min(round) + Duration::from_millis(1);
        let wakes: Vec<String> = queues.iter().map(|queue| QueueKeys::new(queue).wake()).collect();
        let seconds = format!("{:.3}", pause.as_secs_f64());
        let mut args: Vec<&[u8]> = wakes.iter().map(String::as_bytes).collect();
        args.push(seconds.as_bytes());
        let popped = self.redis.blocking("BLPOP", &args, pause).await?;
        Ok(match popped.first() {
            Some(Reply::Bytes(key)) => wakes.iter().position(|wake| wake.as_bytes() == key),
            _ => None,
        })
    }

    /// Gives back a token that woke this claim in vain: it got its jobs elsewhere. Should that fail, the next one to
    /// wait looks by itself within seconds.
    pub(super) async fn pass_on(&self, queue: &QueueName) {
        let wake = QueueKeys::new(queue).wake();
        let _ = self.redis.command("RPUSH", &[wake.as_bytes(), b"1"]).await;
        let _ = self.redis.command("PEXPIRE", &[wake.as_bytes(), b"10000"]).await;
    }
}
