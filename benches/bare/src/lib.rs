//! The smallest component that is a queue: what the platform costs, without anything of presque.
//!
//! A POST pushes its body, a GET pops the oldest: a script of three commands each, on a connection that the instance keeps.

use anyhow::Result;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::redis::{Connection, RedisParameter, RedisResult};
use spin_sdk::{http_service, variables};
use std::sync::{LazyLock, OnceLock};

static CONNECTION: OnceLock<Connection> = OnceLock::new();
static PUSH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("push.lua")));
static POP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("pop.lua")));

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    respond(request).await
}

async fn respond(request: Request) -> Result<Response<Full<Bytes>>> {
    if request.method() == Method::POST {
        let payload = request.into_body().collect().await?.to_bytes();
        PUSH.run(&["bare:meta", "bare:jobs", "bare:ready"], Some(payload))
            .await?;
        return Ok(response(StatusCode::CREATED, Vec::new()));
    }
    match POP.run(&["bare:jobs", "bare:ready"], None).await?.pop() {
        Some(RedisResult::Binary(payload)) => Ok(response(StatusCode::OK, payload)),
        _ => Ok(response(StatusCode::NOT_FOUND, Vec::new())),
    }
}

/// A response with its length: without it the platform would send it in chunks.
fn response(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

struct Script {
    text: &'static str,
    sha1: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        let sha1 = sha1_smol::Sha1::from(text).digest().to_string();
        Self { text, sha1 }
    }

    async fn run(&self, keys: &[&str], payload: Option<Bytes>) -> Result<Vec<RedisResult>> {
        let connection = connection().await?;
        match connection
            .execute("EVALSHA", arguments(&self.sha1, keys, payload.clone()))
            .await
        {
            Err(error) if error.to_string().contains("NoScript") => {
                Ok(connection.execute("EVAL", arguments(self.text, keys, payload)).await?)
            }
            result => Ok(result?),
        }
    }
}

fn arguments(script: &str, keys: &[&str], payload: Option<Bytes>) -> Vec<RedisParameter> {
    let count = i64::try_from(keys.len()).unwrap_or_default();
    let mut arguments = vec![RedisParameter::Binary(script.into()), RedisParameter::Int64(count)];
    arguments.extend(keys.iter().map(|key| RedisParameter::Binary((*key).into())));
    arguments.extend(payload.map(|payload| RedisParameter::Binary(payload.into())));
    arguments
}

/// The instance's connection. Where several requests open one at its start, the first that is open is kept.
async fn connection() -> Result<&'static Connection> {
    if let Some(connection) = CONNECTION.get() {
        return Ok(connection);
    }
    let url = variables::get("redis_url").await?;
    let opened = Connection::open(url).await?;
    Ok(CONNECTION.get_or_init(|| opened))
}
