//! Serves a Spin application (`spin.toml`) on wasmtime, as Spin does: the same routes, request headers, variables,
//! checks and instances. For those who have no Spin at hand, and for tests.
//!
//! It knows Wasm, HTTP, Redis and the manifest, and nothing of what the components do.

mod answer;
mod app;
mod body;
mod caller;
mod client;
mod engine;
mod eviction;
mod flags;
mod instance;
mod log;
pub mod manifest;
pub mod outbound;
mod platform;
pub mod routes;
mod server;
pub mod variables;

pub use flags::{Flags, LogFormat, Range};

use anyhow::{Context, Result};
use app::App;
use manifest::{Handler, Manifest, Route, Variable};
use presque_redis_server::RedisServer;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use variables::{Resolved, Sources};

/// Serves an application until SIGTERM or Ctrl-C, then lets the requests under way finish.
///
/// Blocks. To be called from a thread that lives as long as the process does: a private Redis ends with it.
///
/// # Errors
/// One line that says why the application cannot be served.
pub fn serve(flags: &Flags) -> Result<()> {
    log::start(flags.log_format, &flags.log_level)?;
    let mut manifest = Manifest::load(&flags.from)?;
    if !flags.components.is_empty() {
        manifest.keep_only(&flags.components)?;
    }
    let state = flags.state_dir.clone().unwrap_or_else(|| manifest.dir.join(".presque"));
    let state = std::path::absolute(state)?;
    let descriptors = raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Before anything slow or lasting is begun: most starts that fail do so here.
    let listener = runtime.block_on(listen(&flags.listen))?;
    let (variables, redis) = settings(&manifest, flags, &state)?;
    let served = runtime.block_on(async {
        let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let app = App::load(&manifest, &variables, flags, &state.join("cache"))?;
        announce(&manifest, listener.local_addr()?)?;
        eviction::warn(&variables);
        let limits = server::Limits {
            connections: max_connections(flags.max_connections, descriptors),
            body_timeout: flags.request_body_timeout,
            shutdown: flags.shutdown_timeout,
        };
        server::serve(app, listener, stop(signals), &limits).await;
        Ok(())
    });
    // The process ends next. Instances that still idle would each report that they were torn down.
    std::mem::forget(runtime);
    match redis {
        Some(redis) => served.and(redis.stop()),
        None => served,
    }
}

/// Lets the process have as many file descriptors as it may, and says how many that is.
fn raise_limit() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // One that is refused changes nothing.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// How many connections there may be, so that descriptors are left for what requests need: a connection to Redis of each
/// instance, and one for each wait.
fn max_connections(wanted: usize, descriptors: u64) -> usize {
    const OWN: u64 = 64;
    let affordable = usize::try_from(descriptors.saturating_sub(OWN) / 3).unwrap_or(usize::MAX);
    if affordable < wanted {
        tracing::warn!(
            "{descriptors} file descriptors are enough for {affordable} connections: raise the limit (`ulimit -Hn`) for more"
        );
    }
    wanted.min(affordable).max(1)
}

async fn listen(address: &str) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}: give another HOST:PORT with --listen"))
}

/// The variables' values. Where nothing says which Redis to use, one is started, to end with this process.
fn settings(manifest: &Manifest, flags: &Flags, state: &Path) -> Result<(Resolved, Option<RedisServer>)> {
    let mut sources = Sources {
        given: Vec::new(),
        dotenv: Some(PathBuf::from(".env")),
    };
    if let Some(url) = &flags.redis_url {
        sources.given = redis_variables(url, &manifest.variables)?;
    }
    for argument in &flags.variables {
        sources.given.extend(variables::parse_given(argument)?);
    }
    let wanted = manifest.variables.contains_key("redis_url") && !sources.set("redis_url")?;
    let redis = if wanted {
        let redis = RedisServer::start(&state.join("redis"))
            .context("cannot start a private Redis (--redis-url serves with another one)")?;
        tracing::info!(url = redis.url(), pid = redis.pid(), "started a private Redis");
        sources.given.push(("redis_url".into(), redis.url()));
        Some(redis)
    } else {
        None
    };
    Ok((Resolved::new(&manifest.variables, &sources)?, redis))
}

/// The application's variables for a Redis server that was given as one URL. The password is never shown.
fn redis_variables(url: &str, declared: &BTreeMap<String, Variable>) -> Result<Vec<(String, String)>> {
    use redis::{ConnectionAddr, IntoConnectionInfo};
    let form = "--redis-url must be redis://[:password@]host[:port][/database]";
    let info = url.into_connection_info().ok().context(form)?;
    let address = match &info.addr {
        ConnectionAddr::Tcp(host, port) => format!("redis://{}:{port}", bracketed(host)),
        ConnectionAddr::TcpTls { host, port, .. } => format!("rediss://{}:{port}", bracketed(host)),
        ConnectionAddr::Unix(_) => anyhow::bail!("{form}: a component reaches Redis over TCP only"),
    };
    anyhow::ensure!(
        info.redis.username.is_none(),
        "{form}: a user name has no variable to go to"
    );
    let mut given = vec![
        ("redis_url".into(), address),
        ("redis_password".into(), info.redis.password.unwrap_or_default()),
        ("redis_database".into(), info.redis.db.to_string()),
    ];
    // What the URL does not say needs no variable.
    given.retain(|(name, value): &(String, String)| declared.contains_key(name) || !["", "0"].contains(&&**value));
    if let Some((name, _)) = given.iter().find(|(name, _)| !declared.contains_key(name)) {
        anyhow::bail!("--redis-url is given (or REDIS_URL is set), and the manifest has no variable '{name}' for it");
    }
    Ok(given)
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// Tells on standard output what is served where. The first line is for programs, too.
fn announce(manifest: &Manifest, address: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "Serving http://{address}")?;
    for trigger in &manifest.routes {
        if let (Route::Path(route), Handler::Component(id)) = (&trigger.route, &trigger.handler) {
            writeln!(out, "  {route}  ->  {id}")?;
        }
    }
    Ok(out.flush()?)
}

/// Resolves at the first signal to stop. A second one ends the process at once.
async fn stop((mut terminate, mut interrupt): (Signal, Signal)) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("stopped at once");
        std::process::exit(130);
    });
}
