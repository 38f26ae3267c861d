//! Health: what Redis says of itself.

use crate::queue::Timestamp;
use crate::store::redis::{QueueKeys, Redis, RedisError, ReplyReader, Store, scripts};

/// What Redis says of itself, as far as it concerns a queue. Where its user may not ask, texts are empty and numbers 0. Of a cluster
/// it is what its primaries say: sums of what they use, and else what the one says that is worst off.
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
    /// How many servers have a part of the data: 1, or the primaries of a cluster.
    pub nodes: u64,
    /// How many replicas it has; of a cluster, the primary that has the fewest.
    pub replicas: u64,
    /// What it writes to its disk.
    pub persistence: Persistence,
    /// Whether it could not write that the last time that it tried.
    pub has_write_error: bool,
}

/// What Redis writes to its disk, and when. The one that keeps less is the lesser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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

/// When a log of writes is on the disk: `appendfsync`. The one that keeps less is the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fsync {
    /// When the system writes it.
    System,
    /// Redis' user may not ask.
    Unknown,
    /// A second later.
    EverySecond,
    /// Before the answer.
    Always,
}

impl Health {
    /// Whether this server may throw jobs away when it is full.
    #[must_use]
    pub fn can_evict(&self) -> bool {
        !self.maxmemory_policy.is_empty() && self.maxmemory_policy != "noeviction"
    }

    /// What two servers say together.
    fn and(self, other: Self) -> Self {
        let has_limits = self.max_memory > 0 && other.max_memory > 0;
        Self {
            version: self.version.min(other.version),
            used_memory: self.used_memory + other.used_memory,
            max_memory: if has_limits {
                self.max_memory + other.max_memory
            } else {
                0
            },
            maxmemory_policy: match self.maxmemory_policy.as_str() {
                "noeviction" => other.maxmemory_policy,
                _ => self.maxmemory_policy,
            },
            nodes: self.nodes + other.nodes,
            replicas: self.replicas.min(other.replicas),
            persistence: self.persistence.min(other.persistence),
            has_write_error: self.has_write_error || other.has_write_error,
            ..self
        }
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
            nodes: 1,
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
    /// Tries what operations need, and asks Redis how it is. Four commands; of a cluster, one to try, and three to each primary.
    ///
    /// # Errors
    /// [`RedisError`]: what an insert would fail with.
    pub async fn health(&self) -> Result<Health, RedisError> {
        let keys = QueueKeys::default();
        let mut probed = ReplyReader::new(scripts::PROBE.run(&self.redis, &keys, Vec::new(), &[]).await?);
        let clock = Timestamp::from_millis(probed.integer()?);
        let missing = probed.all_bytes()?.into_iter();
        let infos = self.ask("INFO", &[]).await?;
        let fsyncs = self.ask("CONFIG", &[b"GET", b"appendfsync"]).await?;
        let saves = self.ask("CONFIG", &[b"GET", b"save"]).await?;
        let servers = infos.iter().enumerate().map(|(server, info)| {
            let value = |settings: &[Vec<String>]| settings.get(server)?.get(1).cloned();
            let config = Config {
                appendfsync: value(&fsyncs),
                save: value(&saves),
            };
            Health::from_info(info.first().map_or("", String::as_str), &config)
        });
        Ok(Health {
            missing_permissions: missing.filter_map(|name| String::from_utf8(name).ok()).collect(),
            clock,
            ..servers.reduce(Health::and).unwrap_or_default()
        })
    }

    /// What each server replies to a command, as texts; none where Redis' user may not run it, since it tells of other things, too.
    async fn ask(&self, command: &str, args: &[&[u8]]) -> Result<Vec<Vec<String>>, RedisError> {
        let texts = |reply| {
            let texts = ReplyReader::new(reply).all_bytes()?.into_iter();
            Ok(texts.filter_map(|text| String::from_utf8(text).ok()).collect())
        };
        match self.redis.everywhere(command, args).await {
            Ok(replies) => replies.into_iter().map(texts).collect(),
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
    fn a_cluster_is_as_good_as_the_one_of_its_primaries_that_is_worst_off() {
        let of = |info, fsync: &str| {
            let config = Config {
                appendfsync: Some(fsync.to_owned()),
                save: None,
            };
            Health::from_info(info, &config)
        };
        let one =
            "used_memory:5\r\nmaxmemory:10\r\nmaxmemory_policy:noeviction\r\nconnected_slaves:2\r\naof_enabled:1\r\n";
        let other = "used_memory:6\r\nmaxmemory:10\r\nmaxmemory_policy:allkeys-lru\r\nconnected_slaves:1\r\naof_enabled:1\r\naof_last_write_status:err\r\n";
        for (one, other) in [
            (of(one, "always"), of(other, "everysec")),
            (of(other, "everysec"), of(one, "always")),
        ] {
            let both = one.and(other);
            assert_eq!((both.nodes, both.replicas), (2, 1));
            assert_eq!((both.used_memory, both.max_memory), (11, 20));
            assert_eq!(both.persistence, Persistence::Log(Fsync::EverySecond));
            assert!(both.can_evict() && both.has_write_error);
        }
        assert_eq!(of(one, "always").and(of("maxmemory:0\r\n", "always")).max_memory, 0);
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
