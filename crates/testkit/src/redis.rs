//! A real Redis server of a test's own.

use presque_redis_server::RedisServer;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Value};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// A server with `appendfsync always`. Ends with its value.
pub struct Redis {
    /// The process.
    pub server: RedisServer,
    // After the server, which uses it: fields are dropped in this order.
    _dir: TempDir,
}

/// How often each command ran on a server, by its name.
pub type Commands = BTreeMap<String, i64>;

impl Redis {
    /// Starts a server, and returns when it answers.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let server = RedisServer::start(dir.path()).expect("a Redis server");
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

    /// How often each command ran since the server's start. Commands inside scripts count, too.
    pub async fn commands(&self) -> Commands {
        let text: String = self.query(&["INFO", "commandstats"]).await;
        let line = |line: &str| {
            let (name, stats) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), stats.split(',').next()?.parse().ok()?))
        };
        text.lines().filter_map(line).collect()
    }

    /// How many connections the server has accepted since its start.
    pub async fn connections_accepted(&self) -> i64 {
        let text: String = self.query(&["INFO", "stats"]).await;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"));
        line.expect("the count").parse().expect("a number")
    }
}

/// Runs a command on this connection.
pub async fn query<T: FromRedisValue>(connection: &mut MultiplexedConnection, words: &[impl AsRef<[u8]>]) -> T {
    let mut command = Cmd::new();
    for word in words {
        command.arg(word.as_ref());
    }
    let shown = || String::from_utf8_lossy(&command.get_packed_command()).into_owned();
    let reply = command.query_async(connection).await;
    reply.unwrap_or_else(|error| panic!("{:?}: {error}", shown()))
}

/// How many connections the server has besides this one.
pub async fn other_connections(connection: &mut MultiplexedConnection) -> usize {
    let all: String = query(connection, &["CLIENT", "LIST"]).await;
    all.lines().count() - 1
}
