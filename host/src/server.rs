//! From a connection to an answer.

use crate::answer::Stream;
use crate::app::{App, Component, Target};
use crate::caller::Caller;
use crate::client::{Client, Next, Socket};
use crate::routes::{self, WELL_KNOWN};
use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{SockRef, TcpKeepalive};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::handler::{ExpirationError, InstantiationError};
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

/// A client that has not sent its request's head by then is cut off.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that is idle for so long is asked whether its client is there, and then so often.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(5))
    .with_interval(Duration::from_secs(5));

/// A client that has answered nothing for so long, or taken nothing of what is for it, is gone: a component that streams to
/// it must learn that.
#[cfg(target_os = "linux")]
const GONE: Duration = Duration::from_secs(35);

/// How long to wait after an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` resolves. Then waits and streams end, and other requests under way may finish, but no longer than
/// `patience`.
pub(crate) async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>, patience: Duration) {
    let connections = GracefulShutdown::new();
    let stopping = CancellationToken::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => connect(&app, stream, client, &connections, &stopping),
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    stopping.cancel();
    tracing::info!("stopping: waiting for requests under way");
    if tokio::time::timeout(patience, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way after {patience:?}: they were cut off");
    }
}

/// The two ends of a connection.
struct Ends {
    client: Arc<Client>,
    address: SocketAddr,
    /// Where the client connected to.
    local: String,
    stopping: CancellationToken,
}

fn connect(
    app: &Arc<App>,
    stream: TcpStream,
    address: SocketAddr,
    connections: &GracefulShutdown,
    stopping: &CancellationToken,
) {
    if let Err(error) = set_options(&stream) {
        tracing::debug!(client = %address, "socket options: {error}");
    }
    let local = stream
        .local_addr()
        .map(|address| address.to_string())
        .unwrap_or_default();
    let client = Client::new(stream);
    let socket = Socket(client.clone());
    let ends = Arc::new(Ends {
        client,
        address,
        local,
        stopping: stopping.clone(),
    });
    let app = app.clone();
    let service = service_fn(move |request| {
        let (app, ends) = (app.clone(), ends.clone());
        async move { Ok::<_, Infallible>(answer(&app, request, &ends).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        // A client that sends no more may still read.
        .half_close(true)
        .serve_connection(TokioIo::new(socket), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(client = %address, "connection: {error}");
        }
    });
}

fn set_options(stream: &TcpStream) -> std::io::Result<()> {
    // Small answers go out at once, whatever a component says of their length.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&KEEPALIVE)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(GONE))?;
    Ok(())
}

/// Answers one request, and logs it. Its body may still be streaming then.
async fn answer(app: &App, request: Request<Incoming>, ends: &Ends) -> Response<WasiBody> {
    let start = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let (component, response) = route(app, request, ends).await;
    let client = ends.address;
    // A number in JSON has 64 bits.
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    let component = component.as_deref().unwrap_or("-");
    tracing::info!(%method, path, status, component, micros, %client, "request");
    response
}

async fn route(app: &App, request: Request<Incoming>, ends: &Ends) -> (Option<Arc<str>>, Response<WasiBody>) {
    let path = request.uri().path();
    if path.strip_prefix(WELL_KNOWN) == Some("health") {
        return (None, plain(StatusCode::OK, "OK"));
    }
    let Some(found) = app.router.find(path) else {
        return (None, plain(StatusCode::NOT_FOUND, ""));
    };
    match found.target {
        Target::Static(response) => (None, fixed(response)),
        Target::Component(component) => {
            let answer = match prepare(request, &found, ends.address, &ends.local) {
                Ok(request) => call(component, request, ends).await,
                Err((status, why)) => {
                    tracing::warn!(component = &*component.id, "{why}");
                    plain(status, "")
                }
            };
            (Some(component.id.clone()), answer)
        }
    }
}

/// Makes the request what the component is given: a full URI, and the platform's headers behind the client's own.
/// Else says which status the client gets, and why.
fn prepare(
    request: Request<Incoming>,
    found: &routes::Match<'_, Target>,
    client: SocketAddr,
    local: &str,
) -> Result<Request<WasiBody>, (StatusCode, String)> {
    let (mut parts, body) = request.into_parts();
    let not_utf8 = |value: &HeaderValue| std::str::from_utf8(value.as_bytes()).is_err();
    if let Some((name, _)) = parts.headers.iter().find(|(_, value)| not_utf8(value)) {
        // As Spin has it.
        let why = format!("the request header {name} is not UTF-8");
        return Err((StatusCode::INTERNAL_SERVER_ERROR, why));
    }
    let target = parts
        .uri
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    let host = host(&parts.headers, &parts.uri, local);
    for (name, value) in routes::spin_headers(found, target.as_str(), &host, client) {
        parts.headers.append(name, value);
    }
    let uri = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(host)
        .path_and_query(target);
    parts.uri = uri
        .build()
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("the request header host: {error}")))?;
    Ok(Request::from_parts(parts, body.map_err(HttpError::from).boxed_unsync()))
}

/// Whom the client meant to reach. HTTP/1.0 clients need not say.
fn host(headers: &HeaderMap, uri: &Uri, local: &str) -> String {
    let named = headers.get(HOST).and_then(|value| value.to_str().ok());
    let named = named.filter(|host| !host.is_empty());
    named
        .or(uri.authority().map(Authority::as_str))
        .unwrap_or(local)
        .to_owned()
}

async fn call(component: &Component, request: Request<WasiBody>, ends: &Ends) -> Response<WasiBody> {
    let (caller, over) = Caller::new(&ends.client, ends.stopping.clone());
    let is_chunked = request.version() >= Version::HTTP_11;
    let expected = Expected::head(&ends.client);
    let answer = component.handler.handle(caller.clone(), request).await;
    drop(expected);
    caller.begin();
    let error = match answer {
        Ok(response) if response.body().size_hint().exact().is_none() => {
            let (client, stopping) = (ends.client.clone(), ends.stopping.clone());
            return response.map(|body| Stream::new(body, client, is_chunked, over, stopping).boxed());
        }
        Ok(response) => {
            over.disarm();
            return response;
        }
        Err(error) => error,
    };
    let component = &*component.id;
    if error.is::<ExpirationError>() {
        tracing::warn!(component, "no answer within the request timeout");
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "");
    }
    match error.downcast_ref::<InstantiationError<Caller>>() {
        Some(error) => tracing::error!(component, "no instance can be made: {:#}", error.error),
        None => tracing::error!(component, "no answer: {error:#}"),
    }
    plain(StatusCode::INTERNAL_SERVER_ERROR, "")
}

/// For as long as a response's head is to be sent next.
struct Expected<'a>(&'a Client);

impl<'a> Expected<'a> {
    fn head(client: &'a Client) -> Self {
        client.expect(Some(Next::Head));
        Self(client)
    }
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        self.0.expect(None);
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<WasiBody> {
    let mut response = Response::new(full(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}

fn fixed(fixed: &crate::manifest::StaticResponse) -> Response<WasiBody> {
    let mut response = Response::new(full(Bytes::from(fixed.body.clone())));
    // The manifest's check has let only valid ones through.
    *response.status_mut() = StatusCode::from_u16(fixed.status_code).unwrap_or_default();
    for (name, value) in &fixed.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn full(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(HttpError::from).boxed_unsync()
}
