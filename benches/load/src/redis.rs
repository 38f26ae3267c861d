//! The one Redis that all servers use.

use crate::flags::Fsync;
use anyhow::{Context, Result};
use futures_util::{Stream, StreamExt};
use presque_redis_server::RedisServer;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, InfoDict};
use std::collections::BTreeMap;
use std::path::Path;
use std::pin::Pin;
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
pub(crate) struct Info(InfoDict);

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
        redis.set_fsync(fsync).await?;
        // It is rewritten between two rounds, so not within one.
        redis
            .run::<()>(&["CONFIG", "SET", "auto-aof-rewrite-percentage", "0"])
            .await?;
        Ok(redis)
    }

    /// Says from now on when what it is told is put on disk.
    pub(crate) async fn set_fsync(&self, fsync: Fsync) -> Result<()> {
        self.run(&["CONFIG", "SET", "appendfsync", &fsync.to_string()]).await
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

    /// Looks at all commands from now on.
    pub(crate) async fn monitor(&self) -> Result<Monitor<'_>> {
        let monitor = redis::Client::open(self.url())?.get_async_monitor().await?;
        Ok(Monitor {
            redis: self,
            lines: Box::pin(monitor.into_on_message()),
        })
    }

    pub(crate) async fn info(&self) -> Result<Info> {
        self.run(&["INFO", "all"]).await.map(Info)
    }
}

/// Sees each command that Redis runs.
pub(crate) struct Monitor<'a> {
    redis: &'a Redis,
    lines: Pin<Box<dyn Stream<Item = String>>>,
}

/// The commands that ran.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    /// How many were sent by clients, and how many were called by scripts.
    pub(crate) sent: u64,
    pub(crate) in_scripts: u64,
    pub(crate) by_name: BTreeMap<String, u64>,
}

impl Monitor<'_> {
    /// The commands that ran since the last call.
    pub(crate) async fn commands(&mut self) -> Result<Commands> {
        /// Nobody else asks Redis for this.
        const MARK: &str = "ECHO";
        self.redis.run::<String>(&[MARK, "mark"]).await?;
        let mut commands = Commands::default();
        loop {
            let line = self.lines.next().await.context("MONITOR has ended")?;
            let (origin, name) = parse(&line).with_context(|| format!("MONITOR tells {line}"))?;
            match origin {
                _ if name == MARK => return Ok(commands),
                "lua" => commands.in_scripts += 1,
                _ => commands.sent += 1,
            }
            *commands.by_name.entry(name).or_default() += 1;
        }
    }
}

/// Who ran a command, and its name, from a line such as `1700000000.123456 [0 lua] "hget" "key" "field"`.
fn parse(line: &str) -> Option<(&str, String)> {
    let (_, rest) = line.split_once('[')?;
    let (origin, rest) = rest.split_once(']')?;
    let (_, origin) = origin.split_once(' ')?;
    let name = rest.split('"').nth(1)?;
    Some((origin, name.to_ascii_uppercase()))
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
    pub(crate) fn text(&self, name: &str) -> Result<String> {
        self.get(name)
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64> {
        self.get(name)
    }

    /// Microseconds of the processor that Redis' main thread has used.
    pub(crate) fn thread_micros(&self) -> Result<f64> {
        let (user, system): (f64, f64) = (
            self.get("used_cpu_user_main_thread")?,
            self.get("used_cpu_sys_main_thread")?,
        );
        Ok((user + system) * 1e6)
    }

    fn get<T: FromRedisValue>(&self, name: &str) -> Result<T> {
        self.0.get(name).with_context(|| format!("INFO does not tell {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_monitor_tells_who_ran_which_command() {
        let script = r#"1700000000.1 [0 lua] "hget" "a] \"b\"" "c""#;
        assert_eq!(parse(script), Some(("lua", "HGET".to_owned())));
        let client = r#"1700000000.1 [0 127.0.0.1:5000] "EVALSHA" "sha""#;
        assert_eq!(parse(client), Some(("127.0.0.1:5000", "EVALSHA".to_owned())));
        assert_eq!(parse("OK"), None);
    }
}
