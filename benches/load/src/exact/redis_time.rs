//! Redis' own time for each operation beside that of a bare script of three commands, as Redis counts it.

use super::calls::Client;
use crate::calls::Call;
use crate::measure::median;
use crate::redis::Redis;
use crate::servers::Server;
use anyhow::Result;
use serde::Serialize;

/// How many requests there are of a kind in a round.
const COUNT: usize = 100;

/// How many short rounds there are for each round of the benchmark.
const SHORT_ROUNDS: u32 = 10;

/// The payload of a job, in bytes.
const PAYLOAD: usize = 100;

/// One kind of request.
#[derive(Debug, Serialize)]
pub(crate) struct RedisTime {
    pub(crate) operation: &'static str,
    /// The bare script that it is compared with.
    pub(crate) bare: &'static str,
    pub(crate) least_micros: f64,
    pub(crate) median_micros: f64,
    pub(crate) bare_least_micros: f64,
    pub(crate) bare_median_micros: f64,
}

impl RedisTime {
    /// How many times the bare script's time it takes: by the medians.
    pub(crate) fn ratio(&self) -> f64 {
        self.median_micros / self.bare_median_micros.max(f64::MIN_POSITIVE)
    }
}

/// What is compared, in the order of a round, with the place of its bare script in [`BARE`].
const OPERATIONS: [(&str, Call, usize); 5] = [
    ("insert", Call::Insert, 0),
    ("fetch", Call::Fetch, 1),
    ("/v1 insert", Call::InsertV1(1), 0),
    ("/v1 claim", Call::Claim(1), 1),
    ("/v1 ack", Call::Ack(1), 1),
];

const BARE: [(&str, Call); 2] = [("push", Call::Push), ("pop", Call::Pop)];

/// Measures in short rounds, in which both take turns.
pub(crate) async fn measure(rounds: u32, presque: &Server, bare: &Server, redis: &Redis) -> Result<Vec<RedisTime>> {
    redis.clear().await?;
    let mut client = Client::open(presque.process.address, "redis-time", presque.bare(), PAYLOAD).await?;
    let mut bare_client = Client::open(bare.process.address, "bare", bare.bare(), PAYLOAD).await?;
    let mut times = OPERATIONS.map(|_| Vec::new());
    let mut bare_times = BARE.map(|_| Vec::new());
    for round in 0..=rounds * SHORT_ROUNDS {
        for ((_, call), times) in BARE.into_iter().zip(&mut bare_times) {
            times.push(bare_client.redis_micros(redis, call, COUNT).await?);
        }
        for ((_, call, _), times) in OPERATIONS.into_iter().zip(&mut times) {
            times.push(client.redis_micros(redis, call, COUNT).await?);
        }
        if round == 0 {
            // In the first one scripts are new to Redis.
            times.iter_mut().chain(&mut bare_times).for_each(Vec::clear);
        }
    }
    client.round.check()?;
    bare_client.round.check()?;
    let of_bare: Vec<_> = BARE.iter().zip(bare_times).collect();
    let compared = OPERATIONS.iter().zip(times);
    let compared = compared.filter_map(|((operation, _, place), times)| {
        let ((bare, _), bare_times) = of_bare.get(*place)?;
        Some(RedisTime {
            operation,
            bare,
            least_micros: least(&times),
            median_micros: median(times),
            bare_least_micros: least(bare_times),
            bare_median_micros: median(bare_times.iter().copied()),
        })
    });
    Ok(compared.collect())
}

fn least(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::INFINITY, f64::min)
}
