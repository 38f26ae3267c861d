//! `spin:redis`: connections to the hosts that the manifest allows.
//!
//! One handle is one TCP connection. Concurrent commands on it are pipelined. It is never reopened and has no
//! timeouts: that is the component's affair.

use super::bindings::spin::redis::redis::{
    Error, Host, HostConnection, HostConnectionWithStore, RedisParameter, RedisResult,
};
use super::{Platform, PlatformData};
use crate::caller::Caller;
use crate::redis_address;
use ::redis::aio::MultiplexedConnection;
use ::redis::{Client, Cmd, ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError, Value};
use wasmtime::AsContextMut;
use wasmtime::component::{Accessor, Resource};

/// How many connections an instance may have open.
const MAX_CONNECTIONS: usize = 1024;

/// The greatest reply, in bytes of its values.
const MAX_REPLY: usize = 128 * 1024 * 1024;

/// The error of a command that blocked, when nobody is left who waits for it, or the host is about to stop. It had no effect
/// unless Redis was faster. The connection should be dropped: the command still blocks it.
const INTERRUPTED: &str = "interrupted: nobody waits for this any more";

/// The connection behind a handle.
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Connection(MultiplexedConnection);

impl Host for &mut Platform {}

impl HostConnection for &mut Platform {
    fn drop(&mut self, handle: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        self.connections = self.connections.saturating_sub(1);
        Ok(())
    }
}

type Answer<T> = wasmtime::Result<Result<T, Error>>;
type Handle = Resource<Connection>;

impl<T> HostConnectionWithStore<T> for PlatformData {
    async fn open(accessor: &Accessor<T, Self>, address: String) -> Answer<Handle> {
        let Some(client) = accessor.with(|mut access| allowed_client(access.get(), address)) else {
            return Ok(Err(Error::InvalidAddress));
        };
        if !accessor.with(|mut access| access.get().reserve_connection()) {
            return Ok(Err(Error::TooManyConnections));
        }
        let opened = client.get_multiplexed_async_connection().await;
        accessor.with(|mut access| {
            let platform = access.get();
            match opened {
                Ok(connection) => Ok(Ok(platform.table.push(Connection(connection))?)),
                Err(error) => {
                    platform.connections -= 1;
                    Ok(Err(Error::Other(error.to_string())))
                }
            }
        })
    }

    async fn publish(on: &Accessor<T, Self>, handle: Handle, channel: String, payload: Vec<u8>) -> Answer<()> {
        run(on, &handle, Cmd::new().arg("PUBLISH").arg(channel).arg(payload)).await
    }

    async fn get(on: &Accessor<T, Self>, handle: Handle, key: String) -> Answer<Option<Vec<u8>>> {
        run(on, &handle, Cmd::new().arg("GET").arg(key)).await
    }

    async fn set(on: &Accessor<T, Self>, handle: Handle, key: String, value: Vec<u8>) -> Answer<()> {
        run(on, &handle, Cmd::new().arg("SET").arg(key).arg(value)).await
    }

    async fn incr(on: &Accessor<T, Self>, handle: Handle, key: String) -> Answer<i64> {
        run(on, &handle, Cmd::new().arg("INCRBY").arg(key).arg(1)).await
    }

    async fn del(on: &Accessor<T, Self>, handle: Handle, keys: Vec<String>) -> Answer<u32> {
        run(on, &handle, Cmd::new().arg("DEL").arg(keys)).await
    }

    async fn sadd(on: &Accessor<T, Self>, handle: Handle, key: String, values: Vec<String>) -> Answer<u32> {
        run(on, &handle, Cmd::new().arg("SADD").arg(key).arg(values)).await
    }

    async fn smembers(on: &Accessor<T, Self>, handle: Handle, key: String) -> Answer<Vec<String>> {
        run(on, &handle, Cmd::new().arg("SMEMBERS").arg(key)).await
    }

    async fn srem(on: &Accessor<T, Self>, handle: Handle, key: String, values: Vec<String>) -> Answer<u32> {
        run(on, &handle, Cmd::new().arg("SREM").arg(key).arg(values)).await
    }

    async fn execute(
        on: &Accessor<T, Self>,
        handle: Handle,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Answer<Vec<RedisResult>> {
        let caller = if blocks(&command) { caller(on)? } else { None };
        let mut cmd = Cmd::new();
        cmd.arg(command);
        for argument in arguments {
            match argument {
                RedisParameter::Int64(number) => cmd.arg(number),
                RedisParameter::Binary(bytes) => cmd.arg(bytes),
            };
        }
        let reply = run(on, &handle, &cmd);
        let reply: Result<Flat, Error> = match caller {
            Some(caller) => tokio::select! {
                biased;
                reply = reply => reply?,
                () = caller.must_not_wait() => Err(Error::Other(INTERRUPTED.into())),
            },
            None => reply.await?,
        };
        Ok(reply.map(|flat| flat.0))
    }
}

/// Whether a command may wait for others.
fn blocks(command: &str) -> bool {
    const BLOCKING: [&str; 10] = [
        "BLPOP",
        "BRPOP",
        "BLMOVE",
        "BRPOPLPUSH",
        "BLMPOP",
        "BZPOPMIN",
        "BZPOPMAX",
        "BZMPOP",
        "XREAD",
        "XREADGROUP",
    ];
    BLOCKING.iter().any(|blocking| blocking.eq_ignore_ascii_case(command))
}

/// Whom the task serves that calls.
fn caller<T: 'static>(on: &Accessor<T, PlatformData>) -> wasmtime::Result<Option<Caller>> {
    on.with(|mut access| {
        let task = access.as_context_mut().async_call_stack()?.last();
        Ok(task.and_then(|task| access.get().callers.get(&task).cloned()))
    })
}

impl Platform {
    fn reserve_connection(&mut self) -> bool {
        let free = self.connections < MAX_CONNECTIONS;
        self.connections += usize::from(free);
        free
    }
}

/// A client for an address, when it is one and the component may connect there.
fn allowed_client(platform: &Platform, address: String) -> Option<Client> {
    let info = address.into_connection_info().ok()?;
    let (scheme, host, port) = match &info.addr {
        ConnectionAddr::Tcp(host, port) => ("redis", host, *port),
        ConnectionAddr::TcpTls { host, port, .. } => ("rediss", host, *port),
        ConnectionAddr::Unix(_) => return None,
    };
    let host = redis_address::bracketed(host);
    let allowed = platform.grants.allowed_hosts.allows(scheme, &host, port);
    if !allowed {
        tracing::warn!("a component may not connect to {scheme}://{host}:{port}: add it to its allowed_outbound_hosts");
        return None;
    }
    Client::open(info).ok()
}

async fn run<T, V: FromRedisValue>(on: &Accessor<T, PlatformData>, handle: &Handle, cmd: &Cmd) -> Answer<V> {
    let mut connection = on.with(|mut access| access.get().table.get(handle).map(|connection| connection.0.clone()))?;
    Ok(cmd
        .query_async(&mut connection)
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::TypeError => Error::TypeError,
            _ => Error::Other(error.to_string()),
        }))
}

/// A reply with its arrays flattened into one list.
struct Flat(Vec<RedisResult>);

impl FromRedisValue for Flat {
    fn from_redis_value(value: &Value) -> Result<Self, RedisError> {
        Self::from_owned_redis_value(value.clone())
    }

    fn from_owned_redis_value(value: Value) -> Result<Self, RedisError> {
        let mut flat = Vec::new();
        let mut bytes = 0;
        flatten(value, &mut flat, &mut bytes)?;
        Ok(Self(flat))
    }
}

fn flatten(value: Value, flat: &mut Vec<RedisResult>, bytes: &mut usize) -> Result<(), RedisError> {
    let result = match value {
        Value::Nil => RedisResult::Nil,
        Value::Int(number) => RedisResult::Int64(number),
        Value::BulkString(string) => RedisResult::Binary(string),
        Value::SimpleString(status) => RedisResult::Status(status),
        Value::Okay => RedisResult::Status("OK".into()),
        Value::Array(values) => return values.into_iter().try_for_each(|value| flatten(value, flat, bytes)),
        Value::ServerError(error) => return Err(error.into()),
        other => {
            let what = format!("{other:?} cannot be given to a component");
            return Err((ErrorKind::ResponseError, "unsupported reply", what).into());
        }
    };
    *bytes += match &result {
        RedisResult::Binary(string) => string.len(),
        RedisResult::Status(status) => status.len(),
        RedisResult::Nil | RedisResult::Int64(_) => 8,
    };
    if *bytes > MAX_REPLY {
        return Err((ErrorKind::ResponseError, "the reply is over 128 MiB").into());
    }
    flat.push(result);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(value: Value) -> Result<Vec<RedisResult>, RedisError> {
        Flat::from_owned_redis_value(value).map(|flat| flat.0)
    }

    #[test]
    fn arrays_lose_their_nesting() {
        let nested = Value::Array(vec![
            Value::Int(1),
            Value::Array(vec![Value::BulkString(b"a".into()), Value::Array(vec![]), Value::Nil]),
            Value::Okay,
        ]);
        let results = flat(nested).unwrap();
        let [
            RedisResult::Int64(1),
            RedisResult::Binary(a),
            RedisResult::Nil,
            RedisResult::Status(ok),
        ] = &results[..]
        else {
            panic!("{results:?}");
        };
        assert_eq!((&a[..], &ok[..]), (&b"a"[..], "OK"));
        assert!(flat(Value::Array(vec![])).unwrap().is_empty());
    }

    #[test]
    fn an_error_inside_an_array_makes_the_whole_an_error() {
        let reply = ::redis::parse_redis_value(b"*2\r\n:1\r\n-WRONGTYPE no\r\n").unwrap();
        assert_eq!(flat(reply).unwrap_err().to_string(), "WRONGTYPE: no");
    }

    #[test]
    fn a_map_is_an_error() {
        assert!(flat(Value::Map(vec![])).is_err());
    }
}
