//! Health: what Redis says of itself.

use crate::store::redis::{Redis, RedisError, ReplyReader, Store};

/// What Redis says of itself, as far as it concerns a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Its version.
    pub version: String,
    /// How much memory it uses, in bytes.
    pub used_memory: u64,
    /// How much it may use, 0 for no limit.
    pub max_memory: u64,
    /// What it does at its limit.
    pub maxmemory_policy: String,
}

impl Health {
    /// Whether this server may throw jobs away when it is full.
    #[must_use]
    pub fn can_evict(&self) -> bool {
        !self.maxmemory_policy.is_empty() && self.maxmemory_policy != "noeviction"
    }
}

impl<R: Redis> Store<R> {
    /// Asks Redis how it is. One command.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn health(&self) -> Result<Health, RedisError> {
        let text = ReplyReader::new(self.redis.command("INFO", &[]).await?).text()?;
        let mut health = Health::default();
        for (name, value) in text
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(|line| line.split_once(':'))
        {
            match name {
                "redis_version" => health.version = value.to_owned(),
                "used_memory" => health.used_memory = value.parse().unwrap_or(0),
                "maxmemory" => health.max_memory = value.parse().unwrap_or(0),
                "maxmemory_policy" => health.maxmemory_policy = value.to_owned(),
                _ => {}
            }
        }
        Ok(health)
    }
}
