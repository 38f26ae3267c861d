//! A component that the host's tests are made with. What a request's path says is done:
//!
//! - `/panic`: it panics, which ends the instance. `/error`: its handler gives an error.
//! - `/instance`: tells which instance it is, and how many requests have come to it: `ID COUNT`.
//! - `/hold`: says on stderr that it is held, and answers at the end of the request's body: see [`instance::hold`].
//! - `/wait?MS`: says `waiting` on stderr, waits so long, says `waited`. `/busy`: computes for ever.
//! - `/print?TEXT`: prints lines on stderr and stdout: see [`print`].
//! - `/header?NAME=VALUE`: answers `hello` with this header.
//! - `/variable?NAME`: the variable's value, or the error. `/environment`: each `NAME=VALUE` of it, in a line.
//! - `/echo`: sends the request's body back as it comes. `/ticks`: streams until its reader is gone: see [`stream`].
//! - `/redis`, `/redis/kept`, `/redis/typed`, `/redis/many?N`: runs what the body says: see [`redis`].
//! - all others: tells what it was given: the method, the URI, and each header in a line of its own.

mod instance;
mod redis;
mod stream;

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use spin_sdk::http::{Error, FullBody, HeaderName, HeaderValue, IntoResponse, Request, Response};
use spin_sdk::{http_service, time, variables};
use std::fmt::Write as _;
use std::io::Write as _;
use std::pin::Pin;
use std::time::Duration;

/// Any body. It stays in its instance, so it need not be `Send`.
type AnyBody = Pin<Box<dyn Body<Data = Bytes, Error = anyhow::Error>>>;
type Reply = Response<AnyBody>;

#[http_service]
async fn handle(request: Request) -> Result<impl IntoResponse, Error> {
    instance::count();
    if request.uri().path() == "/probe" {
        return Ok(stream::probed());
    }
    answer(request).await?.into_response().map_err(Error::from)
}

async fn answer(request: Request) -> Result<Reply, Error> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    Ok(match path.as_str() {
        "/panic" => end_instance(),
        "/error" => return Err(Error::other("as asked")),
        "/instance" => text(instance::tell()),
        "/hold" => text(instance::hold(request.into_body()).await),
        "/wait" => text(wait(&query).await),
        "/busy" => text(busy()),
        "/print" => text(print(&query)),
        "/header" => header(&query)?,
        "/variable" => text(variable(&query).await),
        "/environment" => text(environment()),
        "/echo" => reply(request.into_body().map_err(anyhow::Error::from)),
        "/ticks" => reply(stream::ticks()),
        "/redis" => text(redis::run(request).await),
        "/redis/kept" => text(redis::run_kept(request).await),
        "/redis/typed" => text(redis::run_typed(request).await),
        "/redis/many" => text(redis::open_many(&query).await),
        _ => text(given(&request)),
    })
}

fn reply(body: impl Body<Data = Bytes, Error = anyhow::Error> + 'static) -> Reply {
    Response::new(Box::pin(body))
}

fn text(text: impl Into<String>) -> Reply {
    reply(FullBody::new(Bytes::from(text.into())).map_err(|never| match never {}))
}

#[expect(clippy::panic, reason = "what it is there for")]
fn end_instance() -> Reply {
    panic!("as asked")
}

/// Says a line on stderr at once. Piece by piece, it would be mixed with those of other instances.
pub(crate) fn say(line: &str) {
    // Nobody is left to tell.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

async fn wait(millis: &str) -> &'static str {
    say("waiting");
    time::sleep(Duration::from_millis(millis.parse().unwrap_or_default())).await;
    say("waited");
    "waited"
}

fn busy() -> String {
    say("busy");
    loop {
        std::hint::spin_loop();
    }
}

/// Prints lines piece by piece, and one without its end.
fn print(what: &str) -> &'static str {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    for _ in 0..10 {
        for piece in ["in \"pieces\": ", what, "\n"] {
            let _ = err.write_all(piece.as_bytes());
        }
    }
    let _ = out.write_all(format!("out: {what}\nopen: {what}").as_bytes());
    let _ = out.flush();
    "printed"
}

fn header(query: &str) -> Result<Reply, Error> {
    let (name, value) = query.split_once('=').unwrap_or((query, ""));
    let name: HeaderName = name.parse().map_err(|_| Error::other("no header name"))?;
    let mut reply = text("hello");
    let value = HeaderValue::from_str(value).map_err(|_| Error::other("no header value"))?;
    reply.headers_mut().insert(name, value);
    Ok(reply)
}

async fn variable(name: &str) -> String {
    match variables::get(name).await {
        Ok(value) => format!("value {value}"),
        Err(error) => format!("{error:?}"),
    }
}

fn environment() -> String {
    std::env::vars()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect()
}

fn given(request: &Request) -> String {
    let mut told = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        // Writing to a string cannot fail.
        let _ = writeln!(told, "{name}: {}", value.as_bytes().escape_ascii());
    }
    told
}
