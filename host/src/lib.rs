//! Serves a Spin application (`spin.toml`) on wasmtime, as Spin does: the same routes, request headers, variables,
//! checks and instances. For those who have no Spin at hand, and for tests.
//!
//! It knows Wasm, HTTP, Redis and the manifest, and nothing of what the components do.

mod answer;
mod app;
mod body;
mod cache;
mod caller;
mod client;
mod engine;
mod exposure;
mod flags;
mod instance;
mod log;
pub mod manifest;
mod memory;
pub mod outbound;
mod output;
mod platform;
mod private_redis;
mod redis_address;
pub mod routes;
mod server;
mod serving;
mod start_check;
pub mod variables;

pub use flags::{Flags, LogFormat, Range};
pub use serving::{Serving, Store};

use anyhow::{Context, Result};
use app::App;
use manifest::Manifest;
use presque_redis_server::Password;
use private_redis::PrivateRedis;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use variables::{Resolved, Sources};

/// Serves an application as [`serve`] does, and tells what is served on standard output, and on standard error why it could not
/// be. Returns whether it could.
#[must_use]
pub fn run(flags: &Flags) -> bool {
    run_with(flags, |serving| serving.announce())
}

/// As [`run`], with `announce` to tell what is served. It is called once.
#[must_use]
pub fn run_with(flags: &Flags, announce: impl FnOnce(&Serving<'_>) -> Result<()>) -> bool {
    let served = serve(flags, announce);
    if let Err(error) = &served {
        log::fatal(flags.log_format, error);
    }
    served.is_ok()
}

/// Serves an application until SIGTERM or Ctrl-C, then lets the requests under way finish. `announce` is called when it serves.
///
/// Blocks. To be called from a thread that lives as long as the process does.
///
/// # Errors
/// Says why the application cannot be served, or cannot be served any longer: a private Redis ended again and again. And what
/// `announce` says.
pub fn serve(flags: &Flags, announce: impl FnOnce(&Serving<'_>) -> Result<()>) -> Result<()> {
    log::start(flags.log_format, &flags.log_level)?;
    let mut manifest = Manifest::load(flags.from.as_deref().unwrap_or(Path::new("spin.toml")))?;
    if !flags.components.is_empty() {
        manifest.keep_only(&flags.components)?;
    }
    let state = flags.state_dir.clone().unwrap_or_else(|| manifest.dir.join(".presque"));
    let state = std::path::absolute(state)?;
    let descriptors = raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Before anything slow or lasting is begun: most starts that fail do so here.
    let listener = runtime.block_on(listen(&flags.listen))?;
    let address = listener.local_addr()?;
    let redis_state = state.join("redis");
    let (variables, mut redis) = settings(&manifest, flags, &redis_state, address)?;
    let store = Store::of(&variables, redis.as_ref(), &redis_state)?;
    let redis_ended = redis.as_mut().map(PrivateRedis::ended);
    let served = runtime.block_on(async {
        let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        // Both take some time, and neither needs the other.
        let loading = {
            let (manifest, variables, flags) = (manifest.clone(), variables.clone(), flags.clone());
            let cache = state.join("cache");
            tokio::task::spawn_blocking(move || App::load(&manifest, &variables, &flags, &cache))
        };
        let look = start_check::Look::at(&variables, &manifest.redis_commands).await;
        // A start that fails says why in one line: of Redis nothing is told before.
        let app = loading.await??;
        if let Some(look) = look? {
            look.report(&manifest.redis_commands)?;
        }
        announce(&Serving {
            manifest: &manifest,
            address,
            store,
        })?;
        let limits = server::Limits {
            connections: max_connections(flags.max_connections, descriptors),
            body_timeout: flags.request_body_timeout,
            shutdown: flags.shutdown_timeout,
        };
        server::serve(app, listener, stop(signals, redis_ended), &limits).await;
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
fn settings(
    manifest: &Manifest,
    flags: &Flags,
    redis_state: &Path,
    address: SocketAddr,
) -> Result<(Resolved, Option<PrivateRedis>)> {
    let mut sources = Sources {
        given: Vec::new(),
        dotenv: Some(PathBuf::from(".env")),
    };
    if let Some(url) = &flags.redis_url {
        sources.given = redis_address::variables(url, &manifest.variables)?;
    }
    for argument in &flags.variables {
        sources.given.extend(variables::parse_given(argument)?);
    }
    sources
        .given
        .extend(exposure::loopback_names(manifest, &sources, address)?);
    exposure::check(manifest, &sources, address, flags)?;
    let wanted = manifest.variables.contains_key("redis_url") && sources.value("redis_url")?.is_none();
    let redis = if wanted {
        let password = private_password(manifest, &sources)?;
        let redis = PrivateRedis::start(redis_state, password.clone()).context(
            "cannot start a private Redis (--redis-url serves with another one, --state-dir with another folder)",
        )?;
        sources.given.push(("redis_url".into(), redis.url().to_owned()));
        sources
            .given
            .push(("redis_password".into(), password.as_str().to_owned()));
        Some(redis)
    } else {
        None
    };
    sources
        .given
        .extend(redis_address::nodes(&manifest.variables, &sources)?);
    Ok((Resolved::new(&manifest.variables, &sources)?, redis))
}

/// The password of the private Redis: one that was given, else a random one.
fn private_password(manifest: &Manifest, sources: &Sources) -> Result<Password> {
    anyhow::ensure!(
        manifest.variables.contains_key("redis_password"),
        "the manifest has no variable 'redis_password' for the password of a private Redis: add it, as in \
         redis_password = {{ default = \"\", secret = true }}, or say with --redis-url which Redis to use"
    );
    anyhow::ensure!(
        sources.value("redis_user")?.is_none_or(|user| user.is_empty()),
        "variable 'redis_user' is set and 'redis_url' is not: a private Redis has no other users than its default one"
    );
    match sources.value("redis_password")?.filter(|given| !given.is_empty()) {
        Some(given) => Ok(given.into()),
        None => Password::random(),
    }
}

/// Resolves at the first signal to stop, or when the private Redis is gone for good. A second signal ends the process at once.
async fn stop((mut terminate, mut interrupt): (Signal, Signal), redis_ended: Option<impl Future<Output = ()>>) {
    let redis_ended = async {
        match redis_ended {
            Some(ended) => ended.await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = redis_ended => {}
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
