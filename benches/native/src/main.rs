//! A native server beside the components: what this machine allows over HTTP and Redis, without Wasm.
//!
//! `/bare` does what the component of `benches/bare` does, with the same scripts. All other paths are presque's own
//! handlers, which run natively as they do in Wasm.

mod bare;
mod handlers;

use anyhow::Result;
use clap::Parser;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mimalloc::MiMalloc;
use redis::aio::MultiplexedConnection;
use std::convert::Infallible;
use std::io::Write;
use std::rc::Rc;
use std::thread::{self, available_parallelism};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

/// As the host has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

type Body = http_body_util::Full<bytes::Bytes>;

/// Serves presque's handlers, and the bare scripts at `/bare`, natively.
#[derive(Parser)]
struct Flags {
    /// The Redis server.
    #[arg(long, value_name = "URL")]
    redis_url: String,
    /// Where to listen. Port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    listen: String,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let redis = redis::Client::open(flags.redis_url)?;
    let threads = available_parallelism()?.get();
    let workers: Vec<_> = (0..threads).map(|_| worker(&redis)).collect();
    runtime()?.block_on(async {
        let listener = TcpListener::bind(&flags.listen).await?;
        println!("Serving http://{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        // In turns: each thread has as many connections as any other.
        for worker in workers.iter().cycle() {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            worker.send(stream.into_std()?)?;
        }
        Ok(())
    })
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// A thread that serves the connections that it is sent: the handlers' futures stay on the thread that made them.
fn worker(redis: &redis::Client) -> UnboundedSender<std::net::TcpStream> {
    let (sender, receiver) = unbounded_channel();
    let redis = redis.clone();
    thread::spawn(move || {
        let served = runtime()
            .map_err(Into::into)
            .and_then(|runtime| LocalSet::new().block_on(&runtime, serve(redis, receiver)));
        if let Err(error) = served {
            eprintln!("error: {error:#}");
            std::process::exit(1);
        }
    });
    sender
}

async fn serve(redis: redis::Client, mut streams: UnboundedReceiver<std::net::TcpStream>) -> Result<()> {
    let connection = redis.get_multiplexed_async_connection().await?;
    let server = Rc::new(Server {
        handlers: handlers::Handlers::new(redis, connection.clone()),
        connection,
    });
    while let Some(stream) = streams.recv().await {
        let server = server.clone();
        let service = service_fn(move |request| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.respond(request).await) }
        });
        let stream = TokioIo::new(TcpStream::from_std(stream)?);
        spawn_local(
            hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(stream, service),
        );
    }
    Ok(())
}

struct Server {
    handlers: handlers::Handlers,
    connection: MultiplexedConnection,
}

impl Server {
    async fn respond(&self, request: http::Request<Incoming>) -> http::Response<Body> {
        match request.uri().path() {
            "/bare" => bare::respond(self.connection.clone(), request).await,
            _ => self.handlers.respond(request).await,
        }
    }
}
