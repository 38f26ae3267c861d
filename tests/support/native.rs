//! The library's store on a real Redis, without Wasm.

use super::{Clock, Clocked, url_of_user};
use presque::store::{Address, Command, Connector, Node, RedisError, Replication, Reply, Router, Store};
use presque_testkit::Redis;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, Value};
use std::sync::Arc;
use std::time::Duration;

/// The store's way to Redis without Wasm, as the user of `docs/operations.md`.
#[derive(Clone)]
pub struct Native(Arc<Router<NativeConnector>>);

impl Native {
    /// A way to what is at these addresses, `host:port` each.
    pub fn to(login: &str, seeds: &[String], replication: Option<Replication>) -> Self {
        let seeds = seeds.iter().map(|seed| Address::parse(seed).expect("an address"));
        let connector = NativeConnector {
            login: login.to_owned(),
        };
        Self(Arc::new(Router::new(connector, seeds.collect(), replication)))
    }
}

/// The library's store on a server.
pub trait NativeStore {
    /// A store.
    async fn store(&self) -> Store<Native>;

    /// The way there alone.
    async fn native(&self) -> Native;

    /// A store with a clock of its own, which shows some time in 2026. One for a server.
    async fn store_with_clock(&self) -> (Store<Clocked>, Clock);
}

impl NativeStore for Redis {
    async fn store(&self) -> Store<Native> {
        Store::new(self.native().await)
    }

    async fn native(&self) -> Native {
        let url = url_of_user(self).await;
        let (login, server) = url.rsplit_once('@').expect("a login");
        Native::to(&format!("{login}@"), &[server.to_owned()], None)
    }

    async fn store_with_clock(&self) -> (Store<Clocked>, Clock) {
        Clock::with_store(self.native().await).await
    }
}

impl presque::store::Redis for Native {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        self.0.command(name, args).await
    }

    async fn change(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        self.0.change(name, args).await
    }

    async fn everywhere(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Vec<Reply>>, RedisError> {
        self.0.everywhere(name, args).await
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], max_wait: Duration) -> Result<Vec<Reply>, RedisError> {
        self.0.blocking(name, args, max_wait).await
    }
}

/// Connects to servers, with what stands before each in its address.
pub struct NativeConnector {
    login: String,
}

impl Connector for NativeConnector {
    type Node = NativeNode;

    fn node(&self, address: &Address) -> NativeNode {
        let client = redis::Client::open(format!("{}{address}", self.login)).expect("an address");
        NativeNode {
            client,
            shared: tokio::sync::Mutex::default(),
        }
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn log(&self, _line: &str) {}
}

/// One server.
pub struct NativeNode {
    client: redis::Client,
    shared: tokio::sync::Mutex<Option<MultiplexedConnection>>,
}

impl NativeNode {
    async fn open(&self) -> Result<MultiplexedConnection, RedisError> {
        let opened = self.client.get_multiplexed_async_connection().await;
        opened.map_err(|error| match error.kind() {
            ErrorKind::IoError => RedisError::Unreachable(error.to_string()),
            _ => RedisError::from_text(error.to_string()),
        })
    }
}

impl Node for NativeNode {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let mut shared = self.shared.lock().await;
        let mut connection = match &*shared {
            Some(connection) => connection.clone(),
            None => shared.insert(self.open().await?).clone(),
        };
        drop(shared);
        let result = run(&mut connection, name, args).await;
        if result.as_ref().is_err_and(RedisError::asks_for_new_connection) {
            self.shared.lock().await.take();
        }
        result
    }

    async fn in_a_row(&self, commands: &[Command<'_>]) -> Vec<Result<Vec<Reply>, RedisError>> {
        let mut connection = match self.open().await {
            Ok(connection) => connection,
            Err(error) => return vec![Err(error)],
        };
        let mut results = Vec::new();
        for (name, args) in commands {
            results.push(run(&mut connection, name, args).await);
            if results.last().is_some_and(Result::is_err) {
                break;
            }
        }
        results
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], _most: Duration) -> Result<Vec<Reply>, RedisError> {
        run(&mut self.open().await?, name, args).await
    }
}

async fn run(connection: &mut MultiplexedConnection, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
    let reply = redis::cmd(name).arg(args).query_async(connection).await;
    let value: Value = reply.map_err(|error| match error.kind() {
        ErrorKind::IoError => RedisError::Lost(error.to_string()),
        _ => RedisError::from_text(error.to_string()),
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
