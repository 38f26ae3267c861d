//! What a cluster divides: the processor time of each of its primaries. And what it costs to wait for a replica.

use crate::client::Connection;
use crate::measure::median;
use crate::paths::Paths;
use crate::servers::Process;
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use presque_testkit::{Cluster, Node, Redis};
use serde::Serialize;
use std::net::SocketAddr;
use std::time::Instant;
use tokio::task::JoinSet;

/// How many jobs are inserted, claimed and acknowledged for each figure, one at a time.
const JOBS: usize = 20_000;

/// For how many jobs figures are told.
pub(crate) const PER_JOBS: usize = 100_000;

/// How many connections do it.
const AT_ONCE: usize = 16;

/// How many queues there are where there is more than one.
const QUEUES: usize = 48;

/// The payload of a job.
const JOB: &str =
    r#"{"payload":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Divided {
    pub(crate) loads: Vec<Load>,
    pub(crate) waits: Vec<Waited>,
}

/// A load, and what it took of each server.
#[derive(Debug, Serialize)]
pub(crate) struct Load {
    pub(crate) what: String,
    /// Seconds of processor time for [`PER_JOBS`] jobs, of each server that serves them: the one that took most first.
    pub(crate) seconds: Vec<f64>,
}

/// Inserts with a number of replicas that must have each: medians.
#[derive(Debug, Serialize)]
pub(crate) struct Waited {
    pub(crate) replicas: u32,
    /// Of one request after another.
    pub(crate) micros: f64,
    /// On [`AT_ONCE`] connections.
    pub(crate) per_second: f64,
}

pub(crate) async fn measure(rounds: u32, paths: &Paths) -> Result<Divided> {
    Ok(Divided {
        loads: loads(paths).await?,
        waits: waits(rounds, paths).await?,
    })
}

async fn loads(paths: &Paths) -> Result<Vec<Load>> {
    let many: Vec<_> = (0..QUEUES).map(|number| format!("q{number}")).collect();
    let one = vec!["one".to_owned()];
    let mut loads = Vec::new();

    let redis = Redis::start();
    let host = Process::host(paths, &paths.host(), "spin.toml", &redis.url(), &[]).await?;
    for (what, queues) in [("one server, one queue", &one), ("one server, 48 queues", &many)] {
        let before = processor_seconds(&redis).await?;
        run(host.address, queues).await?;
        let taken = processor_seconds(&redis).await? - before;
        loads.push(load(what, vec![taken]));
    }
    drop(host);
    drop(redis);

    let cluster = Cluster::start().await;
    let primaries: Vec<_> = cluster.nodes().take(3).collect();
    let nodes = format!("redis_nodes={}", cluster.nodes_pattern());
    let args = ["--variable", &nodes];
    let host = Process::host(paths, &paths.host(), "spin.toml", &cluster.url(), &args).await?;
    for (what, queues, partitions) in [
        ("three primaries, one queue", &one, 1),
        ("three primaries, 48 queues", &many, 1),
        (
            "three primaries, one queue of 3 partitions",
            &vec!["three".to_owned()],
            3,
        ),
        (
            "three primaries, one queue of 12 partitions",
            &vec!["twelve".to_owned()],
            12,
        ),
    ] {
        for queue in queues {
            configure(host.address, queue, partitions).await?;
        }
        let before = all_seconds(&cluster, &primaries).await?;
        run(host.address, queues).await?;
        let after = all_seconds(&cluster, &primaries).await?;
        loads.push(load(
            what,
            after.iter().zip(before).map(|(after, before)| after - before).collect(),
        ));
    }
    Ok(loads)
}

fn load(what: &str, seconds: Vec<f64>) -> Load {
    let mut seconds: Vec<_> = seconds
        .into_iter()
        .map(|taken| taken * PER_JOBS as f64 / JOBS as f64)
        .collect();
    seconds.sort_by(|one, other| other.total_cmp(one));
    Load {
        what: what.to_owned(),
        seconds,
    }
}

async fn waits(rounds: u32, paths: &Paths) -> Result<Vec<Waited>> {
    let primary = Redis::start();
    let _replica = Redis::start_replica_of(&primary, &[]).await;
    let mut waits = Vec::new();
    for replicas in [0, 1] {
        let variable = format!("redis_wait_replicas={replicas}");
        let args = ["--variable", &variable];
        let host = Process::host(paths, &paths.host(), "spin.toml", &primary.url(), &args).await?;
        let (mut micros, mut per_second) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let mut connection = Connection::open(host.address).await?;
            let begun = Instant::now();
            insert(&mut connection, "waits", JOBS / 20).await?;
            micros.push(begun.elapsed().as_secs_f64() * 1e6 / (JOBS / 20) as f64);
            let begun = Instant::now();
            let mut inserts = JoinSet::new();
            for _ in 0..AT_ONCE {
                let mut connection = Connection::open(host.address).await?;
                inserts.spawn_local(async move { insert(&mut connection, "waits", JOBS / 2 / AT_ONCE).await });
            }
            while let Some(done) = inserts.join_next().await {
                done??;
            }
            per_second.push((JOBS / 2) as f64 / begun.elapsed().as_secs_f64());
        }
        waits.push(Waited {
            replicas,
            micros: median(micros),
            per_second: median(per_second),
        });
    }
    Ok(waits)
}

async fn insert(connection: &mut Connection, queue: &str, count: usize) -> Result<()> {
    let target = format!("/v1/queues/{queue}/jobs");
    for _ in 0..count {
        let (status, _) = connection
            .send(Method::POST, &target, Bytes::from_static(JOB.as_bytes()))
            .await?;
        ensure!(status == 201, "an insert was answered with {status}");
    }
    Ok(())
}

/// Inserts, claims and acknowledges all jobs, on queues in turn.
async fn run(address: SocketAddr, queues: &[String]) -> Result<()> {
    let mut tasks = JoinSet::new();
    for first in 0..AT_ONCE {
        let mut connection = Connection::open(address).await?;
        let queues = queues.to_vec();
        tasks.spawn_local(async move {
            for number in 0..JOBS / AT_ONCE {
                let queue = queues
                    .get((first + number * AT_ONCE) % queues.len())
                    .context("a queue")?;
                insert(&mut connection, queue, 1).await?;
                work(&mut connection, queue).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Claims a job and acknowledges it. There is one for each who asks, since each has inserted one; but a claim that goes round
/// partitions may come to each just too late, and is sent again.
async fn work(connection: &mut Connection, queue: &str) -> Result<()> {
    let claims = format!("/v1/queues/{queue}/claims");
    let body = loop {
        let (status, body) = connection
            .send(Method::POST, &claims, Bytes::from_static(b"{}"))
            .await?;
        ensure!(status == 200 || status == 204, "a claim was answered with {status}");
        if status == 200 {
            break body;
        }
    };
    let claimed: serde_json::Value = serde_json::from_slice(&body)?;
    let receipt = claimed.pointer("/jobs/0/receipt").and_then(serde_json::Value::as_str);
    let ack = format!("{claims}/{}/ack", receipt.context("a receipt")?);
    let (status, _) = connection.send(Method::POST, &ack, Bytes::from_static(b"{}")).await?;
    ensure!(status == 200, "an ack was answered with {status}");
    Ok(())
}

async fn configure(address: SocketAddr, queue: &str, partitions: u32) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let body = format!("{{\"partitions\":{partitions}}}");
    let target = format!("/v1/queues/{queue}");
    let (status, _) = connection.send(Method::PUT, &target, body.into()).await?;
    ensure!(status.is_success(), "settings were answered with {status}");
    Ok(())
}

async fn all_seconds(cluster: &Cluster, nodes: &[Node]) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    for node in nodes {
        all.push(processor_seconds(&cluster[*node]).await?);
    }
    Ok(all)
}

/// The processor time that a server has taken, `used_cpu_user`: without that of the system, which is for writes to disk and network.
async fn processor_seconds(redis: &Redis) -> Result<f64> {
    Ok(redis.used_cpu_user().await)
}
