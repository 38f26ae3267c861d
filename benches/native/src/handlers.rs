//! presque's own handlers, on a native connection to Redis.

use super::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use presque::dialect::restmq::Access;
use presque::dialect::{legacy_routes, v1};
use presque::gate::Caller;
use presque::queue::Limits;
use presque::store::{Redis, RedisError, Reply, Store};
use presque::web::Context;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, Value};
use std::time::Duration;

/// What they work with.
pub(crate) struct Handlers {
    context: Context<Connection>,
    access: Access,
}

impl Handlers {
    pub(crate) fn new(server: redis::Client, shared: MultiplexedConnection) -> Self {
        Self {
            context: Context {
                store: Store::new(Connection { server, shared }),
                limits: Limits::default(),
                caller: Caller::unrestricted(),
            },
            access: Access::default(),
        }
    }

    pub(crate) async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        if request.uri().path().starts_with("/v1/") {
            v1::handle(request, &self.context).await
        } else {
            legacy_routes::queue(request, &self.context, &self.access).await
        }
    }
}

/// The way to Redis: one connection for all, and a new one for each command that blocks.
struct Connection {
    server: redis::Client,
    shared: MultiplexedConnection,
}

impl Redis for Connection {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        run(self.shared.clone(), name, args).await
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], _max_wait: Duration) -> Result<Vec<Reply>, RedisError> {
        let opened = self.server.get_multiplexed_async_connection().await;
        let connection = opened.map_err(|error| RedisError::Unreachable(error.to_string()))?;
        run(connection, name, args).await
    }
}

async fn run(mut connection: MultiplexedConnection, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
    let reply = redis::cmd(name).arg(args).query_async(&mut connection).await;
    let value: Value = reply.map_err(|error| match error.kind() {
        ErrorKind::IoError => RedisError::Lost(error.to_string()),
        _ => RedisError::from_text(error.to_string()),
    })?;
    let mut flat = Vec::new();
    flatten(value, &mut flat)?;
    Ok(flat)
}

/// Adds a reply to a flat list, as the platform's interface gives it.
fn flatten(value: Value, flat: &mut Vec<Reply>) -> Result<(), RedisError> {
    flat.push(match value {
        Value::Array(values) => return values.into_iter().try_for_each(|value| flatten(value, flat)),
        Value::Nil => Reply::Nil,
        Value::Int(number) => Reply::Int(number),
        Value::BulkString(bytes) => Reply::Bytes(bytes),
        Value::SimpleString(status) => Reply::Status(status),
        Value::Okay => Reply::Status("OK".into()),
        other => return Err(RedisError::Unexpected(format!("{other:?}"))),
    });
    Ok(())
}
