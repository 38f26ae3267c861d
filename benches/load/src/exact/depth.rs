//! Very many jobs that wait or are scheduled, and very many queues: how much of Redis' memory each job takes, and what
//! operations cost then.

use super::calls::Client;
use crate::calls::Call;
use crate::client::Connection;
use crate::measure::median;
use crate::redis::Redis;
use crate::servers::Server;
use crate::workloads::MANY;
use anyhow::{Result, ensure};
use bytes::Bytes;
use http::Method;
use serde::Serialize;
use std::ops::Range;
use tokio::task::JoinSet;

/// How many jobs are inserted at a time.
const BATCH: usize = 1000;

/// How many jobs wait in the queue that is compared with.
pub(crate) const FEW: usize = 1000;

/// The payload of a job, in bytes.
pub(crate) const PAYLOAD: usize = 100;

/// How many requests there are of a kind in a round.
const COUNT: usize = 100;

/// How many short rounds there are for each round of the benchmark.
const SHORT_ROUNDS: u32 = 5;

/// For how many jobs there is a queue, where there are very many queues.
const JOBS_PER_QUEUE: usize = 10;

/// How many connections make queues.
const AT_ONCE: usize = 16;

/// When scheduled jobs are due, in seconds since 1970: in the year 2100.
const DUE: u64 = 4_102_444_800;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Depth {
    /// How many jobs wait.
    pub(crate) jobs: usize,
    /// Of Redis' memory, beyond the payload.
    pub(crate) bytes_per_job: f64,
    /// With so many jobs that wait, and with so many that are scheduled, in the queue.
    pub(crate) waiting: Vec<AtDepth>,
    pub(crate) scheduled: Vec<AtDepth>,
    /// How many queues there are, and what it costs with so many.
    pub(crate) queues: usize,
    pub(crate) beside_queues: Vec<AtDepth>,
    /// What it costs to look at all of these queues: the time of Redis' own thread, with that of reading and writing.
    pub(crate) looks: Vec<AtDepth>,
}

/// Redis' time for one kind of request: medians.
#[derive(Debug, Serialize)]
pub(crate) struct AtDepth {
    pub(crate) operation: &'static str,
    /// With few jobs or queues, and with many.
    pub(crate) few_micros: f64,
    pub(crate) many_micros: f64,
}

/// In an order that leaves as many jobs as before.
const OPERATIONS: [(&str, Call); 7] = [
    ("insert", Call::Insert),
    ("fetch", Call::Fetch),
    ("insert 100", Call::InsertBatch(MANY)),
    ("fetch 100", Call::FetchBatch(MANY)),
    ("/v1 insert", Call::InsertV1(1)),
    ("/v1 claim", Call::Claim(1)),
    ("/v1 ack", Call::Ack(1)),
];

/// How many looks there are of a kind in a round.
const LOOK_COUNT: u32 = 5;

const LOOKS: [(&str, &str); 3] = [
    ("overview", "/v1/overview"),
    ("overview with charts", "/v1/overview?history=60"),
    ("metrics", "/metrics"),
];

/// Measures with so many jobs, to the next thousand.
pub(crate) async fn measure(jobs: usize, rounds: u32, server: &Server, redis: &Redis) -> Result<Depth> {
    redis.clear().await?;
    let rounds = rounds * SHORT_ROUNDS;
    let batches = jobs.div_ceil(BATCH);
    let mut few = open(server, "few").await?;
    let mut many = open(server, "many").await?;
    few.repeat(Call::InsertBatch(BATCH), FEW / BATCH).await?;
    let before = redis.info().await?.number("used_memory")?;
    many.repeat(Call::InsertBatch(BATCH), batches).await?;
    let jobs = batches * BATCH;
    let used = redis.info().await?.number("used_memory")?.saturating_sub(before);
    let waiting = in_turns(&mut few, &mut many, rounds, redis).await?;

    redis.clear().await?;
    let mut few = open(server, "few-scheduled").await?;
    let mut many = open(server, "many-scheduled").await?;
    schedule(&mut few, "few-scheduled", FEW / BATCH).await?;
    schedule(&mut many, "many-scheduled", batches).await?;
    let scheduled = in_turns(&mut few, &mut many, rounds, redis).await?;

    redis.clear().await?;
    let queues = jobs / JOBS_PER_QUEUE;
    let mut client = open(server, "one").await?;
    make_queues(server, 0..FEW).await?;
    let with_few = times(&mut client, rounds, redis).await?;
    let looks_with_few = look_times(&mut client.connection, rounds, redis).await?;
    make_queues(server, FEW..queues.max(FEW)).await?;
    let with_many = times(&mut client, rounds, redis).await?;
    let looks_with_many = look_times(&mut client.connection, rounds, redis).await?;
    Ok(Depth {
        jobs,
        bytes_per_job: used as f64 / jobs as f64 - PAYLOAD as f64,
        waiting,
        scheduled,
        queues,
        beside_queues: compared(OPERATIONS, with_few, with_many),
        looks: compared(LOOKS, looks_with_few, looks_with_many),
    })
}

async fn open(server: &Server, queue: &str) -> Result<Client> {
    Client::open(server.process.address, queue, server.bare(), PAYLOAD).await
}

/// Redis' times for each of [`OPERATIONS`].
type Times = [Vec<f64>; OPERATIONS.len()];

/// Measures two queues of one Redis in turns.
async fn in_turns(few: &mut Client, many: &mut Client, rounds: u32, redis: &Redis) -> Result<Vec<AtDepth>> {
    let (mut of_few, mut of_many) = (Times::default(), Times::default());
    for round in 0..=rounds {
        for ((_, call), (few_times, many_times)) in OPERATIONS.into_iter().zip(of_few.iter_mut().zip(&mut of_many)) {
            few_times.push(few.redis_micros(redis, call, COUNT).await?);
            many_times.push(many.redis_micros(redis, call, COUNT).await?);
        }
        if round == 0 {
            of_few.iter_mut().chain(&mut of_many).for_each(Vec::clear);
        }
    }
    Ok(compared(OPERATIONS, of_few, of_many))
}

/// Measures one queue.
async fn times(client: &mut Client, rounds: u32, redis: &Redis) -> Result<Times> {
    let mut all = Times::default();
    for round in 0..=rounds {
        for ((_, call), times) in OPERATIONS.into_iter().zip(&mut all) {
            times.push(client.redis_micros(redis, call, COUNT).await?);
        }
        if round == 0 {
            all.iter_mut().for_each(Vec::clear);
        }
    }
    Ok(all)
}

/// Redis' times for each of [`LOOKS`].
async fn look_times(connection: &mut Connection, rounds: u32, redis: &Redis) -> Result<[Vec<f64>; LOOKS.len()]> {
    let mut all: [Vec<f64>; LOOKS.len()] = Default::default();
    for round in 0..=rounds {
        for ((_, target), times) in LOOKS.into_iter().zip(&mut all) {
            let before = redis.info().await?.thread_micros()?;
            for _ in 0..LOOK_COUNT {
                let (status, _) = connection.send(Method::GET, target, Bytes::new()).await?;
                ensure!(status == 200, "{target} was answered with {status}");
            }
            let micros = redis.info().await?.thread_micros()? - before;
            times.push(micros / f64::from(LOOK_COUNT));
        }
        if round == 0 {
            all.iter_mut().for_each(Vec::clear);
        }
    }
    Ok(all)
}

fn compared<T, const N: usize>(kinds: [(&'static str, T); N], few: [Vec<f64>; N], many: [Vec<f64>; N]) -> Vec<AtDepth> {
    let kinds = kinds.into_iter().zip(few.into_iter().zip(many));
    let kinds = kinds.map(|((operation, _), (few, many))| AtDepth {
        operation,
        few_micros: median(few),
        many_micros: median(many),
    });
    kinds.collect()
}

/// Inserts so many batches of jobs that are not due for long.
async fn schedule(client: &mut Client, queue: &str, batches: usize) -> Result<()> {
    let payload = format!("\"{}\"", "x".repeat(PAYLOAD - 2));
    let jobs: Vec<_> = (0..BATCH)
        .map(|_| serde_json::to_string(&payload))
        .collect::<Result<_, _>>()?;
    let body = Bytes::from(format!("{{\"jobs\":[{}]}}", jobs.join(",")));
    for _ in 0..batches {
        let target = format!("/qb/{queue}?delayed={DUE}");
        let (status, _) = client.connection.send(Method::POST, &target, body.clone()).await?;
        ensure!(status == 201, "a batch of scheduled jobs was answered with {status}");
    }
    Ok(())
}

/// Makes queues of one job each.
async fn make_queues(server: &Server, numbers: Range<usize>) -> Result<()> {
    let mut makers = JoinSet::new();
    for first in 0..AT_ONCE {
        let mut connection = Connection::open(server.process.address).await?;
        let own = numbers.clone().skip(first).step_by(AT_ONCE);
        makers.spawn_local(async move {
            for number in own {
                let target = format!("/q/other-{number}");
                let (status, _) = connection.send(Method::POST, &target, Bytes::from_static(b"1")).await?;
                ensure!(status == 201, "the first job of a queue was answered with {status}");
            }
            Ok(())
        });
    }
    while let Some(made) = makers.join_next().await {
        made??;
    }
    Ok(())
}
