//! From a connection to an answer.

use crate::answer::Stream;
use crate::app::{App, Component, Target};
use crate::body::{Reading, Room};
use crate::caller::Caller;
use crate::client::{Client, Next, Socket};
use crate::instance::TooManyInstances;
use crate::routes::{self, WELL_KNOWN};
use bytes::Bytes;
use http::header::{CONNECTION, HOST, RETRY_AFTER};
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
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
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

/// What is given to clients.
pub(crate) struct Limits {
    /// How many connections there may be. Others wait.
    pub(crate) connections: usize,
    /// How long a request's body may take, beside the time for its size.
    pub(crate) body_timeout: Duration,
    /// How long requests under way may take when the host is asked to stop.
    pub(crate) shutdown: Duration,
}

/// What all connections share.
struct Server {
    app: App,
    bodies: Room,
    stopping: CancellationToken,
}

/// Serves until `stop` resolves. Then waits and streams end, and other requests under way may finish, but not for long.
pub(crate) async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()>, limits: &Limits) {
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let server = Arc::new(Server {
        app,
        bodies: Room::new(limits.body_timeout),
        stopping: CancellationToken::new(),
    });
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            (stream, address, place) = accept(&listener, &places) => {
                connect(&server, stream, address, place, &connections);
            }
        }
    }
    drop(listener);
    server.stopping.cancel();
    tracing::info!("stopping: waiting for requests under way");
    let patience = limits.shutdown;
    if tokio::time::timeout(patience, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way after {patience:?}: they were cut off");
    }
}

/// The next connection, when there is a place for it. Until then it waits where the system keeps it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    if places.available_permits() == 0 {
        tracing::warn!("there are as many connections as there may be: new ones wait (--max-connections)");
    }
    loop {
        // It is never closed.
        let Ok(place) = places.clone().acquire_owned().await else {
            continue;
        };
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address, place),
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The two ends of a connection.
struct Ends {
    client: Arc<Client>,
    address: SocketAddr,
    /// Where the client connected to.
    local: String,
}

fn connect(
    server: &Arc<Server>,
    stream: TcpStream,
    address: SocketAddr,
    place: OwnedSemaphorePermit,
    connections: &GracefulShutdown,
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
    let ends = Arc::new(Ends { client, address, local });
    let server = server.clone();
    let service = service_fn(move |request| {
        let (server, ends) = (server.clone(), ends.clone());
        async move { Ok::<_, Infallible>(answer(&server, request, &ends).await) }
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
        drop(place);
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
async fn answer(server: &Server, request: Request<Incoming>, ends: &Ends) -> Response<WasiBody> {
    let start = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let (component, response) = route(server, request, ends).await;
    let client = ends.address;
    // A number in JSON has 64 bits.
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    let component = component.as_deref().unwrap_or("-");
    tracing::info!(%method, path, status, component, micros, %client, "request");
    response
}

async fn route(server: &Server, request: Request<Incoming>, ends: &Ends) -> (Option<Arc<str>>, Response<WasiBody>) {
    let path = request.uri().path();
    if path.strip_prefix(WELL_KNOWN) == Some("health") {
        return (None, plain(StatusCode::OK, "OK"));
    }
    let Some(found) = server.app.router.find(path) else {
        return (None, plain(StatusCode::NOT_FOUND, ""));
    };
    match found.target {
        Target::Static(response) => (None, fixed(response)),
        Target::Component(component) => {
            let answer = match prepare(request, &found, ends.address, &ends.local) {
                Ok(request) => call(component, request, ends, server).await,
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
) -> Result<Request<Incoming>, (StatusCode, String)> {
    let (mut parts, body) = request.into_parts();
    let not_utf8 = |value: &HeaderValue| std::str::from_utf8(value.as_bytes()).is_err();
    if let Some((name, _)) = parts.headers.iter().find(|(_, value)| not_utf8(value)) {
        // As Spin has it.
        let why = format!("the request header {name} is not UTF-8");
        return Err((StatusCode::INTERNAL_SERVER_ERROR, why));
    }
    if parts.headers.get_all(HOST).iter().nth(1).is_some() {
        let why = "the request has more than one header host: which is meant?".to_owned();
        return Err((StatusCode::BAD_REQUEST, why));
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
    Ok(Request::from_parts(parts, body))
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

async fn call(component: &Component, request: Request<Incoming>, ends: &Ends, server: &Server) -> Response<WasiBody> {
    let (caller, over) = Caller::new(&ends.client, server.stopping.clone());
    let is_chunked = request.version() >= Version::HTTP_11;
    let (head, body) = request.into_parts();
    let Some((body, reading)) = server.bodies.take(body).await else {
        return no_room(component);
    };
    let request = Request::from_parts(head, body);
    let expected = Expected::head(&ends.client);
    let answer = tokio::select! {
        biased;
        answer = component.handler.handle(caller.clone(), request) => answer,
        () = reading.late.cancelled() => return too_late(component),
    };
    drop(expected);
    if reading.late.is_cancelled() {
        return too_late(component);
    }
    if reading.full.is_cancelled() {
        return no_room(component);
    }
    caller.begin();
    let error = match answer {
        Ok(response) if response.body().size_hint().exact().is_none() => {
            let stream = |body| Stream::new(body, ends.client.clone(), is_chunked, over, stop(server, &reading));
            return response.map(|body| stream(body).boxed());
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
        Some(error) if error.error.is::<TooManyInstances>() => {
            tracing::error!(component, "no instance can be made: {:#}", error.error);
            return closing(StatusCode::SERVICE_UNAVAILABLE);
        }
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

/// Resolves when a stream has to end: when the host is about to stop, unless its request is still on its way.
fn stop(server: &Server, reading: &Reading) -> impl Future<Output = ()> + Send + 'static {
    let (stopping, complete) = (server.stopping.clone(), reading.complete.clone());
    async move {
        stopping.cancelled().await;
        complete.cancelled().await;
    }
}

fn too_late(component: &Component) -> Response<WasiBody> {
    tracing::warn!(component = &*component.id, "the body of a request did not come in time");
    closing(StatusCode::REQUEST_TIMEOUT)
}

fn no_room(component: &Component) -> Response<WasiBody> {
    tracing::warn!(component = &*component.id, "no room for the body of a request");
    closing(StatusCode::SERVICE_UNAVAILABLE)
}

/// An answer to a request that is not taken: the client should try again, on another connection.
fn closing(status: StatusCode) -> Response<WasiBody> {
    let mut response = plain(status, "");
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
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
