//! Very many jobs that wait: how much of Redis' memory each takes, and what operations cost then.

use super::calls::Client;
use crate::calls::Call;
use crate::redis::Redis;
use crate::report::median;
use crate::servers::Server;
use crate::workloads::MANY;
use anyhow::Result;
use serde::Serialize;

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

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Depth {
    /// How many jobs wait.
    pub(crate) jobs: usize,
    /// Of Redis' memory, beyond the payload.
    pub(crate) bytes_per_job: f64,
    pub(crate) operations: Vec<AtDepth>,
}

/// Redis' time for one kind of request: medians.
#[derive(Debug, Serialize)]
pub(crate) struct AtDepth {
    pub(crate) operation: &'static str,
    /// With a few jobs that wait, and with many.
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

/// Measures with so many jobs, to the next thousand. Two queues of one Redis take turns: one with few jobs, and one with many.
pub(crate) async fn measure(jobs: usize, rounds: u32, server: &Server, redis: &Redis) -> Result<Depth> {
    redis.clear().await?;
    let address = server.process.address;
    let mut few = Client::open(address, "few", server.bare(), PAYLOAD).await?;
    let mut many = Client::open(address, "many", server.bare(), PAYLOAD).await?;
    few.repeat(Call::InsertBatch(BATCH), FEW / BATCH).await?;
    let before = redis.info().await?.number("used_memory")?;
    let batches = jobs.div_ceil(BATCH);
    many.repeat(Call::InsertBatch(BATCH), batches).await?;
    let jobs = batches * BATCH;
    let used = redis.info().await?.number("used_memory")?.saturating_sub(before);
    let mut times = OPERATIONS.map(|_| [Vec::new(), Vec::new()]);
    for round in 0..=rounds * SHORT_ROUNDS {
        for ((_, call), [few_times, many_times]) in OPERATIONS.into_iter().zip(&mut times) {
            few_times.push(few.redis_micros(redis, call, COUNT).await?);
            many_times.push(many.redis_micros(redis, call, COUNT).await?);
        }
        if round == 0 {
            times.iter_mut().flatten().for_each(Vec::clear);
        }
    }
    let operations = OPERATIONS.iter().zip(times);
    let operations = operations.map(|((operation, _), [few, many])| AtDepth {
        operation,
        few_micros: median(few),
        many_micros: median(many),
    });
    Ok(Depth {
        jobs,
        bytes_per_job: used as f64 / jobs as f64 - PAYLOAD as f64,
        operations: operations.collect(),
    })
}
