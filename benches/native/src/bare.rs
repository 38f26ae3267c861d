//! What the component of `benches/bare` does, natively.

use super::Body;
use anyhow::Result;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, FromRedisValue, RedisResult};
use std::sync::LazyLock;

static PUSH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../bare/src/push.lua")));
static POP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../bare/src/pop.lua")));

/// Pushes what is posted, pops the oldest for a GET. An error of Redis is a 500.
pub(crate) async fn respond(connection: MultiplexedConnection, request: Request<Incoming>) -> Response<Body> {
    let (status, body) = match run(connection, request).await {
        Ok(done) => done,
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string().into_bytes()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
}

async fn run(mut connection: MultiplexedConnection, request: Request<Incoming>) -> Result<(StatusCode, Vec<u8>)> {
    if request.method() == Method::POST {
        let payload = request.into_body().collect().await?.to_bytes();
        let keys = ["bare:meta", "bare:jobs", "bare:ready"];
        let _number: u64 = PUSH.run(&mut connection, &keys, Some(&payload)).await?;
        return Ok((StatusCode::CREATED, Vec::new()));
    }
    let popped: Option<Vec<u8>> = POP.run(&mut connection, &["bare:jobs", "bare:ready"], None).await?;
    Ok(match popped {
        Some(payload) => (StatusCode::OK, payload),
        None => (StatusCode::NOT_FOUND, Vec::new()),
    })
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

    async fn run<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
        keys: &[&str],
        payload: Option<&[u8]>,
    ) -> RedisResult<T> {
        let command = |name, script: &str| {
            let mut command = redis::cmd(name);
            command.arg(script).arg(keys.len()).arg(keys).arg(payload);
            command
        };
        match command("EVALSHA", &self.sha1).query_async(connection).await {
            Err(error) if error.kind() == ErrorKind::NoScriptError => {
                command("EVAL", self.text).query_async(connection).await
            }
            result => result,
        }
    }
}
