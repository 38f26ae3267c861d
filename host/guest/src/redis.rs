//! Commands for Redis. The request's body holds one: its name and its arguments, each a line. The header
//! `redis-address` says where; without it the variables `redis_url`, `redis_user` and
//! `redis_password` do. The answer has a line for each result.

use bytes::Bytes;
use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use spin_sdk::http::Request;
use spin_sdk::redis::{Connection, Error, RedisParameter, RedisResult};
use std::fmt::Debug;
use std::sync::OnceLock;

/// A connection that is kept for as long as the instance lives.
static KEPT: OnceLock<Connection> = OnceLock::new();

/// Runs the command on a connection of its own.
pub(crate) async fn run(request: Request) -> String {
    told(async {
        let (address, lines) = read(request).await;
        execute(&Connection::open(address).await?, lines).await
    })
    .await
}

/// Runs the command on the connection that the instance keeps.
pub(crate) async fn run_kept(request: Request) -> String {
    told(async {
        let (address, lines) = read(request).await;
        let kept = match KEPT.get() {
            Some(kept) => kept,
            None => {
                let opened = Connection::open(address).await?;
                KEPT.get_or_init(|| opened)
            }
        };
        execute(kept, lines).await
    })
    .await
}

/// Runs the command by the function that the interface has for it.
pub(crate) async fn run_typed(request: Request) -> String {
    told(async {
        let (address, lines) = read(request).await;
        let connection = Connection::open(address).await?;
        let lines: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
        let words: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        Ok(match words.as_slice() {
            ["get", key] => shown(connection.get(key).await?.map(|value| value.escape_ascii().to_string())),
            ["set", key, value] => shown(connection.set(key, value).await?),
            ["incr", key] => shown(connection.incr(key).await?),
            ["del", keys @ ..] => shown(connection.del(keys).await?),
            ["sadd", key, values @ ..] => shown(connection.sadd(key, values).await?),
            ["smembers", key] => shown(connection.smembers(key).await?),
            ["srem", key, values @ ..] => shown(connection.srem(key, values).await?),
            ["publish", channel, payload] => shown(connection.publish(channel, payload).await?),
            _ => "no such function".to_owned(),
        })
    })
    .await
}

/// Opens so many connections at once, and tells how many there were when one could not be opened, and why.
pub(crate) async fn open_many(count: &str) -> String {
    let address = default_address().await;
    let mut open = Vec::new();
    for _ in 0..count.parse().unwrap_or_default() {
        match Connection::open(&address).await {
            Ok(connection) => open.push(connection),
            Err(error) => return format!("{} {error:?}", open.len()),
        }
    }
    format!("{} open", open.len())
}

async fn told(ran: impl Future<Output = Result<String, Error>>) -> String {
    ran.await.unwrap_or_else(|error| match error {
        Error::Other(text) => format!("error {text}"),
        other => format!("error {other:?}"),
    })
}

fn shown(result: impl Debug) -> String {
    format!("{result:?}")
}

/// What the variables say. Those that there are not are empty.
async fn default_address() -> String {
    let variable = async |name| spin_sdk::variables::get(name).await.unwrap_or_default();
    let url = variable("redis_url").await;
    let [user, password] = [variable("redis_user").await, variable("redis_password").await]
        .map(|text| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
    match url.split_once("://") {
        Some((scheme, host)) if !password.is_empty() => format!("{scheme}://{user}:{password}@{host}"),
        _ => url,
    }
}

async fn read(request: Request) -> (String, Vec<Bytes>) {
    let named = request.headers().get("redis-address");
    let address = match named.and_then(|address| address.to_str().ok()) {
        Some(address) => address.to_owned(),
        None => default_address().await,
    };
    let body = request.into_body().collect().await.map(|body| body.to_bytes());
    let body = body.unwrap_or_default();
    let lines = body.split(|byte| *byte == b'\n').map(|line| body.slice_ref(line));
    (address, lines.collect())
}

/// The results: `nil`, `int N`, `status TEXT` and `binary BYTES`.
async fn execute(connection: &Connection, lines: Vec<Bytes>) -> Result<String, Error> {
    let mut lines = lines.into_iter();
    let command = lines.next().unwrap_or_default();
    let arguments = lines.map(|line| RedisParameter::Binary(line.to_vec()));
    let results = connection.execute(String::from_utf8_lossy(&command), arguments).await?;
    let results = results.into_iter().map(|result| match result {
        RedisResult::Nil => "nil".to_owned(),
        RedisResult::Int64(number) => format!("int {number}"),
        RedisResult::Status(text) => format!("status {text}"),
        RedisResult::Binary(bytes) => format!("binary {}", bytes.escape_ascii()),
    });
    Ok(results.collect::<Vec<_>>().join("\n"))
}
