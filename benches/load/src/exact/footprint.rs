//! What the host and its instances take of the machine.

use crate::client::Connection;
use crate::measure::median;
use crate::paths::Paths;
use crate::redis::Redis;
use crate::servers::Process;
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How many instances are looked at together that have answered: one is too small to be seen in a process' memory.
const IDLE: usize = 200;

/// How many requests a busy instance has at a time: as many as the host gives it by default.
const AT_ONCE: usize = 16;

/// How often the host is started.
const STARTS: usize = 5;

/// How long to wait between two looks at what gives no event.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a process' memory must stay as it is to be steady, and how often it is looked at before that is given up.
const SETTLE: Duration = Duration::from_millis(200);
const MAX_LOOKS: usize = 10;

/// For how many seconds claims wait: longer than it takes until all do.
const WAIT: u32 = 15;

/// How long requests may take to be under way.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Footprint {
    /// From the start of the host's process to the end of a component's first response, when all is compiled: the median.
    pub(crate) start_millis: f64,
    /// The memory of the host after its first request, without the pages of its program.
    pub(crate) host_bytes: u64,
    /// What an instance adds to that once it has answered.
    pub(crate) idle_instance_bytes: f64,
    /// The Wasm memory of an instance that has answered, and of one with 16 claims that wait.
    pub(crate) idle_wasm_bytes: u64,
    pub(crate) busy_wasm_bytes: u64,
    /// The size of each component's file.
    pub(crate) wasm_bytes: BTreeMap<String, u64>,
}

pub(crate) async fn measure(paths: &Paths, redis: &Redis) -> Result<Footprint> {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(start(paths, redis).await?.as_secs_f64() * 1e3);
    }
    let (host_bytes, some) = host_with(paths, redis, IDLE).await?;
    let (_, twice) = host_with(paths, redis, 2 * IDLE).await?;
    // Two hosts, with some instances and with twice as many: what one host has freed it would use again for the others.
    let idle_instance_bytes = (twice as f64 - some as f64) / IDLE as f64;
    let [idle_wasm_bytes, busy_wasm_bytes] = wasm_memory(paths, redis).await?;
    Ok(Footprint {
        start_millis: median(starts),
        host_bytes,
        idle_instance_bytes,
        idle_wasm_bytes,
        busy_wasm_bytes,
        wasm_bytes: sizes(paths)?,
    })
}

/// How long it takes from a start of the host to a component's first response. All is compiled by an earlier start.
async fn start(paths: &Paths, redis: &Redis) -> Result<Duration> {
    let begun = Instant::now();
    let process = Process::host(paths, &paths.host(), "spin.toml", &redis.url(), &[]).await?;
    let mut connection = Connection::open(process.address).await?;
    let (status, _) = connection.send(Method::GET, "/q/empty", Bytes::new()).await?;
    ensure!(status == 404, "an empty queue was answered with {status}");
    Ok(begun.elapsed())
}

/// The memory of a new host after its first request, and with so many idle instances.
async fn host_with(paths: &Paths, redis: &Redis, instances: usize) -> Result<(u64, u64)> {
    redis.clear().await?;
    let args = [
        "--max-instance-concurrent-reuse-count",
        "1",
        "--idle-instance-timeout",
        "60s",
    ];
    let process = Process::host(paths, &paths.host(), "spin.toml", &redis.url(), &args).await?;
    let mut connection = Connection::open(process.address).await?;
    connection.send(Method::GET, "/q/empty", Bytes::new()).await?;
    let new = memory(process.pid()).await?;
    let _connections = wait(&process, redis, instances).await?;
    Ok((new, memory(process.pid()).await?))
}

/// Lets so many claims wait at a time, until they end. Gives their connections.
async fn wait(process: &Process, redis: &Redis, count: usize) -> Result<Vec<Connection>> {
    let mut waits = JoinSet::new();
    for _ in 0..count {
        let mut connection = Connection::open(process.address).await?;
        waits.spawn_local(async move {
            let body = format!("{{\"lease\":60,\"wait\":{WAIT}}}");
            let (status, _) = connection
                .send(Method::POST, "/v1/queues/empty/claims", body.into())
                .await?;
            ensure!(status == 204, "an empty queue was answered with {status}");
            Ok(connection)
        });
    }
    let begun = Instant::now();
    while redis.info().await?.number("blocked_clients")? < count as u64 {
        ensure!(begun.elapsed() < PATIENCE, "not all claims wait");
        tokio::time::sleep(PAUSE).await;
    }
    let mut connections = Vec::new();
    while let Some(wait) = waits.join_next().await {
        connections.push(wait??);
    }
    Ok(connections)
}

/// How much memory a process has for itself, without the pages of files that it shares, when that has become steady: what is
/// freed is given back a little later.
async fn memory(pid: u32) -> Result<u64> {
    let look = || -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
        let text = text.context("only Linux tells a process' memory")?;
        let mut bytes = 0;
        // What is on disk for want of memory is its own, too.
        for name in ["Anonymous:", "Swap:"] {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes: u64 = line.context(name)?.trim().trim_end_matches(" kB").parse()?;
            bytes += kilobytes * 1024;
        }
        Ok(bytes)
    };
    let mut last = look()?;
    for _ in 0..MAX_LOOKS {
        tokio::time::sleep(SETTLE).await;
        let now = look()?;
        if now == last {
            break;
        }
        last = now;
    }
    Ok(last)
}

/// The Wasm memory of an instance when it has answered, and when it has as many claims that wait as it gets at a time. The
/// host's log says it at the begin of each request.
async fn wasm_memory(paths: &Paths, redis: &Redis) -> Result<[u64; 2]> {
    redis.clear().await?;
    let process = Process::host(paths, &paths.host(), "spin.toml", &redis.url(), &["--log-fuel"]).await?;
    let mut connection = Connection::open(process.address).await?;
    for _ in 0..2 {
        connection.send(Method::GET, "/v1/queues", Bytes::new()).await?;
    }
    let idle = logged_memory(&process)?;
    wait(&process, redis, AT_ONCE).await?;
    Ok([idle, logged_memory(&process)?])
}

/// The most memory that an instance had at the begin of a request.
fn logged_memory(process: &Process) -> Result<u64> {
    let log = process.log();
    let number = |line: &str| line.split_once("memory=")?.1.split(' ').next()?.parse().ok();
    log.lines()
        .filter_map(number)
        .max()
        .context("the host has not told the memory")
}

/// The size of each component.
fn sizes(paths: &Paths) -> Result<BTreeMap<String, u64>> {
    let built = paths.target().join("wasm32-wasip2/release");
    let mut sizes = BTreeMap::new();
    for entry in fs::read_dir(paths.root.join("components"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let file = built.join(format!("presque_{}.wasm", name.replace('-', "_")));
        sizes.insert(
            name,
            fs::metadata(&file).with_context(|| file.display().to_string())?.len(),
        );
    }
    Ok(sizes)
}
