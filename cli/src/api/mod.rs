//! A client of the HTTP interface, `/v1`.

mod failure;
mod job;
mod queue;

pub(crate) use failure::{Failure, Problem, reason};
pub(crate) use job::{ClaimedJob, Jobs};
pub(crate) use queue::{Counts, Overview, QueueSummary, Rates};

use anyhow::{Context, Result, ensure};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long the server may take to begin an answer, beside what a request lets it wait.
const ANSWER: Duration = Duration::from_secs(60);

/// Pauses between tries: this, doubled each time, up to the largest one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// A client of one server. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: Client,
    base: Url,
}

/// A request that is still to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    max_wait: Duration,
}

impl Api {
    /// A client of the server at this address, with this key.
    ///
    /// # Errors
    /// The address is not one of HTTP, or the key cannot stand in a header.
    pub(crate) fn new(url: &str, key: Option<&str>) -> Result<Self> {
        let base =
            Url::parse(url).with_context(|| format!("{url:?} is not an address such as http://127.0.0.1:3000"))?;
        ensure!(
            matches!(base.scheme(), "http" | "https") && base.has_host(),
            "{url:?} is not an address such as http://127.0.0.1:3000"
        );
        ensure!(
            base.username().is_empty() && base.password().is_none(),
            "the address has a user or a password: give the key by PRESQUE_KEY or --key-file"
        );
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let mut value =
                HeaderValue::from_str(&format!("Bearer {key}")).context("the key has characters that no key has")?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        // Another program in this process may have chosen already; then that choice stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = Client::builder();
        if is_local(&base) {
            // A proxy would look on its own machine.
            http = http.no_proxy();
        }
        if base.scheme() == "http" {
            // No certificate is looked at. Where the system has none, as in a small container, a client that wants them cannot be made.
            http = http.tls_certs_only([]);
        }
        let http = http
            .user_agent(concat!("presque/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT)
            // A redirection of a POST would lose its body, and could send the key elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, base })
    }

    /// A client of the same server that says no key.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn without_key(&self) -> Result<Self> {
        Self::new(self.base.as_str(), None)
    }

    /// The server's address.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Whether the server's address is one of this machine's own, which no other reaches.
    pub(crate) fn is_local(&self) -> bool {
        is_local(&self.base)
    }

    /// A request for `/v1/` and these segments, which are percent-encoded.
    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> Request {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(segments);
        }
        Request {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            max_wait: ANSWER,
        }
    }

    /// GET of `/v1/` and these segments.
    pub(crate) fn get(&self, segments: &[&str]) -> Request {
        self.request(Method::GET, segments)
    }

    /// POST to `/v1/` and these segments.
    pub(crate) fn post(&self, segments: &[&str]) -> Request {
        self.request(Method::POST, segments)
    }

    /// Sends a request, and reads the answer's JSON. An answer without a body is `null`.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn send<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        let body = self.response(request).await?.bytes().await;
        let body = body.map_err(|error| Failure::sending(&self.base, &request.method, error))?;
        let body = if body.is_empty() { b"null".as_slice() } else { &body };
        serde_json::from_slice(body).map_err(|error| Failure::NotUnderstood {
            url: self.base.to_string(),
            why: error.to_string(),
        })
    }

    /// Sends a request, and returns the answer when its headers are there.
    ///
    /// # Errors
    /// See [`Failure`]: also when its status is not one of success.
    pub(crate) async fn response(&self, request: &Request) -> Result<Response, Failure> {
        let mut builder = self
            .http
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .timeout(request.max_wait);
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let failure = |error| Failure::sending(&self.base, &request.method, error);
        let response = builder.send().await.map_err(failure)?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(Failure::Problem(Problem::read(response).await))
    }

    /// Sends a request until it is answered with something else than that it may help to try again. Only for requests that may be carried out
    /// twice: those that change nothing, those with an `Idempotency-Key`, and those that the interface calls repeatable. `is_over` ends it.
    ///
    /// # Errors
    /// See [`Failure`]: the last one, when no further try is made. Where it leaves less open than one before, [`Failure::Lost`].
    pub(crate) async fn send_until<T: DeserializeOwned>(
        &self,
        request: &Request,
        mut go_on: impl FnMut(&Failure) -> bool,
    ) -> Result<T, Failure> {
        let (mut pause, mut is_open) = (FIRST_PAUSE, false);
        loop {
            let failure = match self.send(request).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            if !failure.may_pass() || !go_on(&failure) {
                // That a key was used for another request tells of this one, too: it was not carried out.
                let is_told = failure.leaves_open() || failure.is("idempotency-key-reused");
                return Err(match is_open && !is_told {
                    true => Failure::Lost {
                        url: self.base.to_string(),
                        why: format!("an earlier try was not answered, and the last one so: {failure}"),
                        is_safe: false,
                    },
                    false => failure,
                });
            }
            is_open |= !request.method.is_safe() && failure.leaves_open();
            tokio::time::sleep(failure.retry_after().unwrap_or(pause).min(MAX_PAUSE)).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

impl Request {
    /// With a parameter of the query.
    pub(crate) fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.url.query_pairs_mut().append_pair(name, &value.to_string());
        self
    }

    /// With a header.
    ///
    /// # Errors
    /// The value cannot stand in a header.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Result<Self> {
        let value = HeaderValue::from_str(value).with_context(|| format!("{value:?} cannot be sent as {name}"))?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// With a body: a value as JSON.
    ///
    /// # Errors
    /// The value cannot be written as JSON.
    pub(crate) fn json(self, value: &impl Serialize) -> Result<Self> {
        Ok(self.body(serde_json::to_vec(value)?))
    }

    /// With a body that is JSON already.
    pub(crate) fn body(mut self, json: Vec<u8>) -> Self {
        self.headers
            .insert("content-type", HeaderValue::from_static("application/json"));
        self.body = Some(json);
        self
    }

    /// The server is asked to wait so long before it answers.
    pub(crate) fn waiting(mut self, wait: Duration) -> Self {
        self.max_wait = ANSWER + wait;
        self
    }
}
