//! An HTTP client that keeps its connections.

use super::{PATIENCE, openapi};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A client of one server. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    base: String,
    pool: Pool<HttpConnector, Full<Bytes>>,
    /// For large bodies: a server that refuses one closes the connection, maybe while the next request is on its way.
    large: Pool<HttpConnector, Full<Bytes>>,
}

/// Bodies from here on may be refused before they are read.
const LARGE: usize = 32 * 1024;

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    pub fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            pool: Pool::builder(TokioExecutor::new()).build_http(),
            large: Pool::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build_http(),
        }
    }

    /// Sends one request. Fails where the connection does, as when the server was killed. Panics when an answer of `/v1`
    /// is not as docs/openapi.yaml has it.
    pub async fn try_send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes())?)
            .uri(format!("{}{target}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.into();
        let pool = if body.len() < LARGE { &self.pool } else { &self.large };
        let exchange = async {
            let response = pool.request(request.body(Full::new(body))?).await?;
            let (parts, body) = response.into_parts();
            anyhow::Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                body: body.collect().await?.to_bytes(),
            })
        };
        let answer = tokio::time::timeout(PATIENCE, exchange).await??;
        openapi::check(method, target, answer.status.as_u16(), &answer.headers, &answer.body);
        Ok(answer)
    }

    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let sent = self.try_send(method, target, headers, body).await;
        sent.unwrap_or_else(|error| panic!("{method} {target}: {error:#}"))
    }

    /// Posts a job, said to be JSON.
    pub async fn post(&self, target: &str, job: impl Into<Bytes>) -> Answer {
        self.send("POST", target, &[("Content-Type", "application/json")], job)
            .await
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[], "").await
    }

    /// Posts a job that must be accepted.
    pub async fn insert(&self, target: &str, job: impl Into<Bytes>) {
        let answer = self.post(target, job).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The status and the body.
    pub fn brief(&self) -> (u16, &str) {
        (self.status.as_u16(), self.text())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("the header is text"))
    }
}
