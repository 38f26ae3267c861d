//! An HTTP client that keeps its connections.

use crate::{PATIENCE, openapi, patiently};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::convert::Infallible;
use tokio::sync::mpsc;

/// The body of a request.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Bodies from here on may be refused before they are read.
const LARGE: usize = 32 * 1024;

/// A client of one server. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    base: String,
    /// What each request has in `authorization`.
    authorization: Option<String>,
    pool: Pool<HttpConnector, Body>,
    /// For large bodies: a server that refuses one closes the connection, maybe while the next request is on its way.
    large: Pool<HttpConnector, Body>,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, to the end.
    pub body: Bytes,
}

/// A body that is sent piece by piece, and ends when the sender is dropped.
pub fn piecewise() -> (mpsc::UnboundedSender<&'static str>, Body) {
    let (sender, receiver) = mpsc::unbounded_channel::<&'static str>();
    let pieces = futures_util::stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((Ok(Frame::data(Bytes::from_static(piece.as_bytes()))), receiver))
    });
    (sender, StreamBody::new(pieces).boxed_unsync())
}

impl Client {
    /// A client of the server at `http://HOST:PORT`.
    pub fn new(base: &str) -> Self {
        let mut connector = HttpConnector::new();
        // A piece of a body must not wait for the one before it to be acknowledged.
        connector.set_nodelay(true);
        Self {
            base: base.to_owned(),
            authorization: None,
            pool: Pool::builder(TokioExecutor::new()).build(connector.clone()),
            large: Pool::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build(connector),
        }
    }

    /// The same client, which sends a key with each request.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        self.authorization = Some(format!("Bearer {key}"));
        self
    }

    /// Sends one request, and reads its answer to the end. Panics when an answer of `/v1` is not as docs/openapi.yaml
    /// has it.
    ///
    /// # Errors
    /// The connection fails, as when the server was killed.
    pub async fn try_send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Answer> {
        let body = body.into();
        let pool = if body.len() < LARGE { &self.pool } else { &self.large };
        let request = self.request(method, target, headers, Full::new(body).boxed_unsync())?;
        let exchange = async { Answer::try_read(pool.request(request).await?).await };
        let answer = tokio::time::timeout(PATIENCE, exchange).await??;
        openapi::check(method, target, answer.status.as_u16(), &answer.headers, &answer.body);
        Ok(answer)
    }

    /// The same, where it must not fail.
    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let sent = self.try_send(method, target, headers, body).await;
        sent.unwrap_or_else(|error| panic!("{method} {target}: {error:#}"))
    }

    /// Sends one request whose body, or whose answer's, is a stream. Returns when the head of the answer is there.
    ///
    /// # Errors
    /// The connection fails.
    pub async fn open(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> anyhow::Result<Response<Incoming>> {
        let request = self.request(method, target, headers, body)?;
        let what = format!("the head of an answer to {method} {target}");
        Ok(patiently(&what, self.pool.request(request)).await?)
    }

    fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> anyhow::Result<Request<Body>> {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes())?)
            .uri(format!("{}{target}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(request.body(body)?)
    }

    /// Posts a job, said to be JSON.
    pub async fn post(&self, target: &str, job: impl Into<Bytes>) -> Answer {
        self.send("POST", target, &[("Content-Type", "application/json")], job)
            .await
    }

    /// Posts a URL-encoded form.
    pub async fn form(&self, target: &str, form: &str) -> Answer {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        self.send("POST", target, &headers, form.to_owned()).await
    }

    /// A `GET`.
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
    /// Reads an answer to its end.
    pub async fn read(response: Response<Incoming>) -> Self {
        let read = patiently("the end of a body", Self::try_read(response)).await;
        read.expect("a body")
    }

    async fn try_read(response: Response<Incoming>) -> anyhow::Result<Self> {
        let (parts, body) = response.into_parts();
        Ok(Self {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body, where it is all that matters.
    pub fn into_text(self) -> String {
        String::from_utf8(self.body.into()).expect("the body is UTF-8")
    }

    /// The status and the body.
    pub fn brief(&self) -> (u16, &str) {
        (self.status.as_u16(), self.text())
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("the header is text"))
    }
}
