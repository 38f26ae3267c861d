//! Health: what Redis says of itself.

use crate::queue::Timestamp;
use crate::store::redis::{QueueKeys, Redis, RedisError, ReplyReader, Store, scripts};

/// What Redis says of itself, as far as it concerns a queue. Where its user may not ask, texts are empty and numbers 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The commands that its user may not run, of those that scripts need.
    pub missing_permissions: Vec<String>,
    /// Its clock, by which jobs are due and leases end.
    pub clock: Timestamp,
    /// Its version; Valkey's own, where it is that.
    pub version: String,
    /// How much memory it uses, in bytes.
    pub used_memory: u64,
    /// How much it may use, 0 for no limit.
    pub max_memory: u64,
    /// What it does at its limit.
    pub maxmemory_policy: String,
    /// How many replicas it has.
    pub replicas: u64,
    /// What it writes to its disk.
    pub persistence: Persistence,
    /// Whether it could not write that the last time that it tried.
    pub has_write_error: bool,
}

/// What Redis writes to its disk, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// Its user may not ask.
    #[default]
    Unknown,
    /// Nothing.
    None,
    /// A snapshot from time to time; the last one, if there is any, at a time.
    Snapshots(Option<Timestamp>),
    /// Each write, to a file, which is on the disk when this says.
    Log(Fsync),
}

/// When a log of writes is on the disk: `appendfsync`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Before the answer.
    Always,
    /// A second later.
    EverySecond,
    /// When the system writes it.
    System,
    /// Redis' user may not ask.
    Unknown,
}

impl Health {
    /// Whether this server may throw jobs away when it is full.
    #[must_use]
    pub fn can_evict(&self) -> bool {
        !self.maxmemory_policy.is_empty() && self.maxmemory_policy != "noeviction"
    }

    /// From the text of INFO, and what CONFIG GET tells.
    fn from_info(text: &str, config: &Config) -> Self {
        let field = |wanted: &str| {
            let mut fields = text.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(name, _)| *name == wanted).map(|(_, value)| value.trim())
        };
        let number = |name| field(name).and_then(|value| value.parse().ok()).unwrap_or(0);
        let version = field("valkey_version").or_else(|| field("redis_version"));
        let snapshot = field("rdb_last_save_time").and_then(|value| value.parse::<i64>().ok());
        let snapshot = snapshot.map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000)));
        Self {
            version: version.unwrap_or_default().to_owned(),
            used_memory: number("used_memory"),
            max_memory: number("maxmemory"),
            maxmemory_policy: field("maxmemory_policy").unwrap_or_default().to_owned(),
            replicas: number("connected_slaves"),
            persistence: match field("aof_enabled") {
                None => Persistence::Unknown,
                Some("1") => Persistence::Log(config.fsync()),
                Some(_) if config.save.as_deref() == Some("") => Persistence::None,
                Some(_) => Persistence::Snapshots(snapshot),
            },
            has_write_error: ["aof_last_write_status", "rdb_last_bgsave_status"]
                .iter()
                .any(|name| field(name) == Some("err")),
            ..Self::default()
        }
    }
}

/// What CONFIG GET tells. `None` where Redis' user may not ask.
#[derive(Default)]
struct Config {
    appendfsync: Option<String>,
    save: Option<String>,
}

impl Config {
    fn fsync(&self) -> Fsync {
        match self.appendfsync.as_deref() {
            Some("always") => Fsync::Always,
            Some("everysec") => Fsync::EverySecond,
            Some("no") => Fsync::System,
            _ => Fsync::Unknown,
        }
    }
}

impl<R: Redis> Store<R> {
    /// Tries what operations need, and asks Redis how it is. Four commands.
    ///
    /// # Errors
    /// [`RedisError`]: what an insert would fail with.
    pub async fn health(&self) -> Result<Health, RedisError> {
        let keys = QueueKeys::default();
        let mut probed = ReplyReader::new(scripts::PROBE.run(&self.redis, &keys, Vec::new(), &[]).await?);
        let clock = Timestamp::from_millis(probed.integer()?);
        let missing = probed.all_bytes()?.into_iter();
        let info = self.ask("INFO", &[]).await?;
        let info = info.into_iter().next().unwrap_or_default();
        let config = Config {
            appendfsync: self.ask("CONFIG", &[b"GET", b"appendfsync"]).await?.into_iter().nth(1),
            save: self.ask("CONFIG", &[b"GET", b"save"]).await?.into_iter().nth(1),
        };
        Ok(Health {
            missing_permissions: missing.filter_map(|name| String::from_utf8(name).ok()).collect(),
            clock,
            ..Health::from_info(&info, &config)
        })
    }

    /// What a command replies, as texts; none where Redis' user may not run it, since it tells of other things, too.
    async fn ask(&self, command: &str, args: &[&[u8]]) -> Result<Vec<String>, RedisError> {
        match self.redis.command(command, args).await {
            Ok(reply) => {
                let texts = ReplyReader::new(reply).all_bytes()?.into_iter();
                Ok(texts.filter_map(|text| String::from_utf8(text).ok()).collect())
            }
            Err(RedisError::Forbidden(_) | RedisError::Refused(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
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
            assert_eq!(Health::from_info(info, &Config::default()).version, "8.0.1");
        }
        assert_eq!(
            Health::from_info("redis_version:7.0.15\r\n", &Config::default()).version,
            "7.0.15"
        );
    }

    #[test]
    fn what_redis_keeps_is_read_from_what_its_user_may_ask() {
        let read = |info, save: Option<&str>, fsync: Option<&str>| {
            let config = Config {
                appendfsync: fsync.map(str::to_owned),
                save: save.map(str::to_owned),
            };
            Health::from_info(info, &config).persistence
        };
        let at = Timestamp::from_millis(1_795_000_000_000);
        assert_eq!(read("", Some(""), Some("always")), Persistence::Unknown);
        assert_eq!(
            read("aof_enabled:1\r\n", None, Some("everysec")),
            Persistence::Log(Fsync::EverySecond)
        );
        assert_eq!(read("aof_enabled:1\r\n", None, None), Persistence::Log(Fsync::Unknown));
        let without = "aof_enabled:0\r\nrdb_last_save_time:1795000000\r\n";
        assert_eq!(read(without, Some(""), None), Persistence::None);
        assert_eq!(read(without, Some("60 1"), None), Persistence::Snapshots(Some(at)));
        assert_eq!(read(without, None, None), Persistence::Snapshots(Some(at)));
    }
}
