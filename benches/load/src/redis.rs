//! The one Redis that all servers use.

use crate::Fsync;
use anyhow::{Context, Result};
use presque_redis_server::RedisServer;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// How long to wait between two looks at what gives no event.
const PAUSE: Duration = Duration::from_millis(5);

/// A Redis of the benchmark's own. Ends with its value.
pub(crate) struct Redis {
    server: RedisServer,
    connection: MultiplexedConnection,
    // After the server, which uses it.
    _dir: TempDir,
}

/// What `INFO` tells, by its names.
pub(crate) struct Info {
    values: BTreeMap<String, String>,
}

impl Redis {
    /// Starts a Redis as presque's private one, but for the policy, with its data below `target`.
    pub(crate) async fn start(target: &Path, fsync: Fsync) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("bench-redis-").tempdir_in(target)?;
        let server = RedisServer::start(dir.path())?;
        let client = redis::Client::open(server.url())?;
        let connection = client.get_multiplexed_async_connection().await?;
        let redis = Self {
            server,
            connection,
            _dir: dir,
        };
        let policy = fsync.to_string();
        redis.run::<()>(&["CONFIG", "SET", "appendfsync", &policy]).await?;
        // It is rewritten between two rounds, so not within one.
        redis
            .run::<()>(&["CONFIG", "SET", "auto-aof-rewrite-percentage", "0"])
            .await?;
        Ok(redis)
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    pub(crate) async fn run<T: FromRedisValue>(&self, words: &[&str]) -> Result<T> {
        let mut connection = self.connection.clone();
        let reply = command(words).query_async(&mut connection).await;
        reply.with_context(|| words.join(" "))
    }

    /// Removes all data, in memory and on disk. Scripts stay known.
    pub(crate) async fn clear(&self) -> Result<()> {
        self.run::<()>(&["FLUSHALL", "SYNC"]).await?;
        self.run::<String>(&["BGREWRITEAOF"]).await?;
        loop {
            let info = self.info().await?;
            if info.number("aof_rewrite_in_progress")? + info.number("aof_rewrite_scheduled")? == 0 {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(crate) async fn info(&self) -> Result<Info> {
        let text: String = self.run(&["INFO", "all"]).await?;
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        Ok(Info {
            values: lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        })
    }
}

fn command(words: &[&str]) -> Cmd {
    let mut command = Cmd::new();
    for word in words {
        command.arg(*word);
    }
    command
}

impl Info {
    /// A value as it stands.
    pub(crate) fn text(&self, name: &str) -> Result<&str> {
        let value = self.values.get(name).map(String::as_str);
        value.with_context(|| format!("INFO does not tell {name}"))
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64> {
        self.text(name)?.parse().with_context(|| format!("INFO's {name}"))
    }
}
