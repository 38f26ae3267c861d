//! What each request costs, counted: commands of Redis, bytes on the wire, Wasm instructions.

use super::calls::Client;
use crate::calls::Call;
use crate::paths::Paths;
use crate::redis::{Info, Redis};
use crate::servers::{Kind, Process};
use crate::workloads::MANY;
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many requests are counted.
const COUNT: usize = 20;

/// How many are sent before: instances start, Redis learns the scripts, and the queue is entered in the catalog.
const WARM_UP: usize = 3;

/// One instance of each component serves all requests. It says how many instructions it has run.
const ARGS: [&str; 5] = [
    "--log-fuel",
    "--max-instance-reuse-count",
    "1000000",
    "--idle-instance-timeout",
    "60s",
];

/// What one kind of request costs: the median where it is not the same each time.
#[derive(Debug, Serialize)]
pub(crate) struct Request {
    pub(crate) operation: &'static str,
    pub(crate) server: Kind,
    pub(crate) payload_bytes: usize,
    /// Commands that the server sends to Redis, and those that its scripts call.
    pub(crate) commands_sent: u64,
    pub(crate) commands_in_scripts: u64,
    /// All of them by name.
    pub(crate) commands: BTreeMap<String, u64>,
    /// Bytes from the client and to it, with heads.
    pub(crate) client_in: f64,
    pub(crate) client_out: f64,
    /// Bytes to Redis and from it.
    pub(crate) redis_in: f64,
    pub(crate) redis_out: f64,
    /// Wasm instructions, as wasmtime's fuel counts them.
    pub(crate) instructions: u64,
}

struct Operation {
    name: &'static str,
    server: Kind,
    /// What must have been sent before, as often.
    before: &'static [Call],
    call: Call,
}

const fn operation(name: &'static str, before: &'static [Call], call: Call) -> Operation {
    Operation {
        name,
        server: Kind::Presque,
        before,
        call,
    }
}

const OPERATIONS: [Operation; 14] = [
    operation("insert", &[], Call::Insert),
    Operation {
        server: Kind::Bare,
        ..operation("insert", &[], Call::Push)
    },
    operation("fetch", &[Call::Insert], Call::Fetch),
    Operation {
        server: Kind::Bare,
        ..operation("fetch", &[Call::Push], Call::Pop)
    },
    operation("insert 100", &[], Call::InsertBatch(MANY)),
    operation("fetch 100", &[Call::InsertBatch(MANY)], Call::FetchBatch(MANY)),
    operation("/v1 insert", &[], Call::InsertV1(1)),
    operation("/v1 claim", &[Call::InsertV1(1)], Call::Claim(1)),
    operation("/v1 ack", &[Call::InsertV1(1), Call::Claim(1)], Call::Ack(1)),
    operation("/v1 claim with ack", &[Call::InsertV1(1)], Call::Turn(1)),
    operation("/v1 insert 100", &[], Call::InsertV1(MANY)),
    operation("/v1 claim 100", &[Call::InsertV1(MANY)], Call::Claim(MANY)),
    operation(
        "/v1 ack 100",
        &[Call::InsertV1(MANY), Call::Claim(MANY)],
        Call::Ack(MANY),
    ),
    operation("/v1 claim with 100 acks", &[Call::InsertV1(MANY)], Call::Turn(MANY)),
];

/// Measures all kinds of requests with these payloads.
pub(crate) async fn measure(payloads: &[usize], paths: &Paths, redis: &Redis) -> Result<Vec<Request>> {
    let (host, url) = (paths.host(), redis.url());
    let presque = Process::host(paths, &host, "spin.toml", &url, &ARGS).await?;
    let bare = Process::host(paths, &host, "benches/bare", &url, &ARGS).await?;
    let mut found = Vec::new();
    for &payload in payloads {
        for operation in &OPERATIONS {
            let process = match operation.server {
                Kind::Bare => &bare,
                _ => &presque,
            };
            let request = request(operation, process, payload, redis).await;
            found.push(request.with_context(|| format!("{}: {}", operation.server, operation.name))?);
        }
    }
    Ok(found)
}

async fn request(operation: &Operation, process: &Process, payload: usize, redis: &Redis) -> Result<Request> {
    redis.clear().await?;
    let mut client = Client::open(process.address, "exact", "/", payload).await?;
    for call in operation.before {
        client.repeat(*call, WARM_UP + 2 * COUNT + 1).await?;
    }
    client.repeat(operation.call, WARM_UP).await?;

    let mut commands = Vec::new();
    let mut monitor = redis.monitor().await?;
    for _ in 0..COUNT {
        client.send(operation.call).await?;
        commands.push(monitor.commands().await?);
    }
    drop(monitor);
    commands.sort_by_key(|commands| commands.sent + commands.in_scripts);
    let commands = commands.swap_remove(COUNT / 2);

    let begun = fuel(process).len();
    // Two looks one after the other tell what a look costs.
    let looks = [redis.info().await?, redis.info().await?];
    let client_before = client.connection.traffic();
    client.repeat(operation.call, COUNT).await?;
    let client_after = client.connection.traffic();
    let after = redis.info().await?;
    let [first, before] = looks;
    let each = |name: &str| -> Result<f64> {
        let growth = |from: &Info, to: &Info| anyhow::Ok((to.number(name)? - from.number(name)?) as f64);
        Ok((growth(&before, &after)? - growth(&first, &before)?) / COUNT as f64)
    };
    // The one behind them says what was left when the last of them was over.
    client.send(operation.call).await?;
    let left = fuel(process).split_off(begun);
    let mut used: Vec<u64> = left.windows(2).filter_map(difference).collect();
    used.sort_unstable();
    let bytes = |to: u64, from: u64| (to - from) as f64 / COUNT as f64;
    Ok(Request {
        operation: operation.name,
        server: operation.server,
        payload_bytes: payload,
        commands_sent: commands.sent,
        commands_in_scripts: commands.in_scripts,
        commands: commands.by_name,
        client_in: bytes(client_after.sent, client_before.sent),
        client_out: bytes(client_after.received, client_before.received),
        redis_in: each("total_net_input_bytes")?,
        redis_out: each("total_net_output_bytes")?,
        instructions: *used.get(used.len() / 2).context("the host has not told its fuel")?,
    })
}

/// What was used between two looks at one instance. A new instance has more than the one before, or as much.
fn difference(pair: &[u64]) -> Option<u64> {
    match pair {
        [before, after] => before.checked_sub(*after).filter(|used| *used > 0),
        _ => None,
    }
}

/// How much fuel was left at each request until now, and at the end of each instance: one that a large body has made large
/// ends with its request. All are for one component at a time.
fn fuel(process: &Process) -> Vec<u64> {
    let log = process.log();
    let values = log.lines().filter_map(|line| line.split_once("fuel=")?.1.parse().ok());
    values.collect()
}
