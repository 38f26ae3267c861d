//! A real Redis server of a test's own.

use crate::until;
use presque_redis_server::{RedisServer, Settings};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Value};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// A server with `appendfsync always`, unless it was told otherwise. Ends with its value.
pub struct Redis {
    /// The process.
    pub server: RedisServer,
    // After the server, which uses it: fields are dropped in this order.
    _dir: TempDir,
}

/// A folder for a server's data: in memory, where there is room. Tests kill processes and no machines, so data are as safe there;
/// and a disk that is slow for some seconds does not make a cluster take a node for gone.
fn data_folder() -> TempDir {
    const MEMORY: &str = "/dev/shm";
    const ROOM: u64 = 2 * 1024 * 1024 * 1024;
    let has_room = rustix::fs::statvfs(MEMORY).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= ROOM);
    let in_memory = has_room.then(|| tempfile::tempdir_in(MEMORY).ok()).flatten();
    in_memory.unwrap_or_else(|| tempfile::tempdir().expect("a temporary folder"))
}

/// How often each command ran on a server, by its name.
pub type Commands = BTreeMap<String, i64>;

impl Redis {
    /// Starts a server, and returns when it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with such lines in its configuration, as `appendfsync everysec`.
    pub fn start_with(lines: &[&str]) -> Self {
        Self::start_as(Settings {
            lines: lines.iter().map(|&line| line.to_owned()).collect(),
            ..Settings::default()
        })
    }

    /// Starts a replica of a primary, with such lines in its configuration. Returns when it has the primary's data, and gets what
    /// is written from then on. It is a replica again after a restart, also if it was promoted (`REPLICAOF NO ONE`).
    pub async fn start_replica_of(primary: &Self, lines: &[&str]) -> Self {
        let replicaof = format!("replicaof 127.0.0.1 {}", primary.server.port());
        // The primary else waits for further replicas before it sends its data.
        primary.run("CONFIG SET repl-diskless-sync-delay 0").await;
        let replica = Self::start_with(&[&[replicaof.as_str()], lines].concat());
        until("the replica's data", async || replica.is_replicating().await).await;
        replica
    }

    pub(crate) fn start_as(settings: Settings) -> Self {
        let settings = Settings {
            is_temporary: true,
            ..settings
        };
        let dir = data_folder();
        let server = RedisServer::start_with(dir.path(), settings).expect("a Redis server");
        Self { server, _dir: dir }
    }

    /// Starts a server with the data of the private one of a host that has ended, and had its state in this folder.
    pub fn on_state(state: TempDir) -> Self {
        let server = RedisServer::start(&state.path().join("redis")).expect("a Redis server");
        Self { server, _dir: state }
    }

    /// `redis://HOST:PORT`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// A connection of one's own.
    pub async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("an address");
        client.get_multiplexed_async_connection().await.expect("a connection")
    }

    /// Runs a command, whose words have spaces between them, on a connection of its own.
    pub async fn run(&self, command: &str) -> Value {
        self.query(&command.split(' ').collect::<Vec<_>>()).await
    }

    /// Runs a command on a connection of its own.
    pub async fn query<T: FromRedisValue>(&self, words: &[impl AsRef<[u8]>]) -> T {
        query(&mut self.connection().await, words).await
    }

    /// Runs a command, whose words have spaces between them, that fails, on a connection of its own. Returns the error's first word,
    /// such as `MOVED`.
    pub async fn refusal(&self, command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        let result = command_of(&words)
            .query_async::<Value>(&mut self.connection().await)
            .await;
        let error = result.expect_err(command);
        error.code().unwrap_or_else(|| panic!("{command}: {error}")).to_owned()
    }

    /// How often each command ran since the server's start. Commands inside scripts count, too.
    pub async fn commands(&self) -> Commands {
        self.counts("commandstats", "cmdstat_", "calls").await
    }

    /// How often each error was answered since the server's start, by the first word of its text, such as `MOVED`.
    pub async fn error_stats(&self) -> BTreeMap<String, i64> {
        self.counts("errorstats", "errorstat_", "count").await
    }

    /// How many connections the server has accepted since its start.
    pub async fn connections_accepted(&self) -> i64 {
        let count = self.info("stats", "total_connections_received").await;
        count.expect("the count").parse().expect("a number")
    }

    /// How many seconds of the processor the server has used since its start, without the kernel's.
    pub async fn used_cpu_user(&self) -> f64 {
        let seconds = self.info("cpu", "used_cpu_user").await;
        seconds.expect("the seconds").parse().expect("a number")
    }

    /// Whether this is a replica that gets what its primary writes.
    pub async fn is_replicating(&self) -> bool {
        self.info("replication", "master_link_status").await.as_deref() == Some("up")
    }

    /// What a section of INFO says under this name.
    pub async fn info(&self, section: &str, name: &str) -> Option<String> {
        let text: String = self.query(&["INFO", section]).await;
        let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned());
        text.lines().find_map(value)
    }

    /// The counts of a section of INFO whose lines are such as `PREFIX<name>:COUNT=1,...`.
    async fn counts(&self, section: &str, prefix: &str, count: &str) -> BTreeMap<String, i64> {
        let text: String = self.query(&["INFO", section]).await;
        let line = |line: &str| {
            let (name, rest) = line.strip_prefix(prefix)?.rsplit_once(':')?;
            let number = rest.split(',').next()?.strip_prefix(count)?.strip_prefix('=')?;
            Some((name.to_owned(), number.parse().ok()?))
        };
        text.lines().filter_map(line).collect()
    }
}

/// Runs a command on this connection.
pub async fn query<T: FromRedisValue>(connection: &mut MultiplexedConnection, words: &[impl AsRef<[u8]>]) -> T {
    let command = command_of(words);
    let shown = || String::from_utf8_lossy(&command.get_packed_command()).into_owned();
    let reply = command.query_async(connection).await;
    reply.unwrap_or_else(|error| panic!("{:?}: {error}", shown()))
}

fn command_of(words: &[impl AsRef<[u8]>]) -> Cmd {
    let mut command = Cmd::new();
    for word in words {
        command.arg(word.as_ref());
    }
    command
}

/// How many connections the server has besides this one.
pub async fn other_connections(connection: &mut MultiplexedConnection) -> usize {
    let all: String = query(connection, &["CLIENT", "LIST"]).await;
    all.lines().count() - 1
}
