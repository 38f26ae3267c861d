//! Health: what Redis says of itself.

use crate::store::redis::{QueueKeys, Redis, RedisError, Reply, ReplyReader, Store, scripts};

/// What Redis says of itself, as far as it concerns a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The commands that its user may not run, of those that scripts need.
    pub missing_permissions: Vec<String>,
    /// Its version; Valkey's own, where it is that. Empty, as all that follows, where its user may not ask.
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

    /// From the text of INFO.
    fn from_info(text: &str) -> Self {
        let field = |wanted: &str| {
            let mut fields = text.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(name, _)| *name == wanted).map(|(_, value)| value.trim())
        };
        let number = |name| field(name).and_then(|value| value.parse().ok()).unwrap_or(0);
        let version = field("valkey_version").or_else(|| field("redis_version"));
        Self {
            missing_permissions: Vec::new(),
            version: version.unwrap_or_default().to_owned(),
            used_memory: number("used_memory"),
            max_memory: number("maxmemory"),
            maxmemory_policy: field("maxmemory_policy").unwrap_or_default().to_owned(),
        }
    }
}

impl<R: Redis> Store<R> {
    /// Tries what operations need, and asks Redis how it is. Two commands.
    ///
    /// # Errors
    /// [`RedisError`]: what an insert would fail with.
    pub async fn health(&self) -> Result<Health, RedisError> {
        let keys = QueueKeys::default();
        let missing = scripts::PROBE.run(&self.redis, &keys, Vec::new(), &[]).await?;
        // A user may be without INFO: it is a command that tells of other things, too.
        let info = match self.redis.command("INFO", &[]).await {
            Ok(reply) => ReplyReader::new(reply).text()?,
            Err(RedisError::Forbidden(_) | RedisError::Refused(_)) => None,
            Err(error) => return Err(error),
        };
        let names = missing.into_iter().filter_map(|name| match name {
            Reply::Bytes(name) => String::from_utf8(name).ok(),
            _ => None,
        });
        Ok(Health {
            missing_permissions: names.collect(),
            ..Health::from_info(&info.unwrap_or_default())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_valkey_is_its_own() {
        for info in [
            "redis_version:7.2.4\r\nvalkey_version:8.0.1\r\n",
            "valkey_version:8.0.1\r\nredis_version:7.2.4\r\n",
        ] {
            assert_eq!(Health::from_info(info).version, "8.0.1");
        }
        assert_eq!(Health::from_info("redis_version:7.0.15\r\n").version, "7.0.15");
    }
}
