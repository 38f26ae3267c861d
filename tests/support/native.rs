//! The library's store on a real Redis, without Wasm.

use super::{Clock, Clocked, url_of_user};
use presque::store::{RedisError, Reply, Store};
use presque_testkit::Redis;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, Value};
use std::time::Duration;

/// The store's way to Redis without Wasm, as the user of `docs/operations.md`.
#[derive(Clone)]
pub struct Native {
    server: redis::Client,
    connection: MultiplexedConnection,
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
        let server = redis::Client::open(url_of_user(self).await).expect("an address");
        let connection = server.get_multiplexed_async_connection().await;
        Native {
            server,
            connection: connection.expect("a connection"),
        }
    }

    async fn store_with_clock(&self) -> (Store<Clocked>, Clock) {
        Clock::with_store(self.native().await).await
    }
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
