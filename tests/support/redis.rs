//! A real Redis server of a test's own, and the store's way to it.

use presque::store::{RedisError, Reply, Store};
use presque_host::redis_server::RedisServer;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use tempfile::TempDir;

/// A server with `appendfsync always`. Ends with its value.
pub struct Redis {
    pub server: RedisServer,
    _dir: TempDir,
}

/// How often each command ran on a server, by its name.
pub type Commands = BTreeMap<String, i64>;

impl Redis {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let server = RedisServer::start(dir.path()).expect("a Redis server");
        Self { server, _dir: dir }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    pub async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("an address");
        client.get_multiplexed_async_connection().await.expect("a connection")
    }

    /// The library's store on this server.
    pub async fn store(&self) -> Store<Native> {
        Store::new(self.native().await)
    }

    pub async fn native(&self) -> Native {
        Native {
            server: redis::Client::open(self.url()).expect("an address"),
            connection: self.connection().await,
        }
    }

    pub async fn run(&self, command: &str) -> Value {
        let mut words = command.split(' ');
        let mut cmd = redis::cmd(words.next().expect("a command"));
        cmd.arg(words.collect::<Vec<_>>());
        cmd.query_async(&mut self.connection().await).await.expect(command)
    }

    /// How often each command ran since the server's start. Commands inside scripts count, too.
    pub async fn commands(&self) -> Commands {
        let text: String = redis::from_owned_redis_value(self.run("INFO commandstats").await).unwrap();
        let line = |line: &str| {
            let (name, stats) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), stats.split(',').next()?.parse().ok()?))
        };
        text.lines().filter_map(line).collect()
    }

    /// How many connections the server has accepted since its start.
    pub async fn connections_accepted(&self) -> i64 {
        let text: String = redis::from_owned_redis_value(self.run("INFO stats").await).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"));
        line.expect("the count").parse().expect("a number")
    }
}

/// The store's way to Redis without Wasm.
#[derive(Clone)]
pub struct Native {
    server: redis::Client,
    connection: MultiplexedConnection,
}

impl presque::store::Redis for Native {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        run(&mut self.connection.clone(), name, args).await
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], _most: Duration) -> Result<Vec<Reply>, RedisError> {
        let mut connection = self
            .server
            .get_multiplexed_async_connection()
            .await
            .map_err(|error| RedisError::Unreachable(error.to_string()))?;
        run(&mut connection, name, args).await
    }
}

async fn run(connection: &mut MultiplexedConnection, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
    let reply = redis::cmd(name).arg(args).query_async(connection).await;
    let value: Value = reply.map_err(|error| match error.kind() {
        ErrorKind::NoScriptError => RedisError::NoScript,
        ErrorKind::IoError => RedisError::Lost(error.to_string()),
        _ if error.code() == Some("OOM") => RedisError::Full(error.to_string()),
        _ => RedisError::Refused(error.to_string()),
    })?;
    let mut flat = Vec::new();
    flatten(value, &mut flat);
    Ok(flat)
}

fn flatten(value: Value, flat: &mut Vec<Reply>) {
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| flatten(value, flat)),
        Value::Nil => flat.push(Reply::Nil),
        Value::Int(number) => flat.push(Reply::Int(number)),
        Value::BulkString(bytes) => flat.push(Reply::Bytes(bytes)),
        Value::SimpleString(status) => flat.push(Reply::Status(status)),
        Value::Okay => flat.push(Reply::Status("OK".into())),
        other => panic!("no script replies with {other:?}"),
    }
}
