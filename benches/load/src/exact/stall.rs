//! How long others wait while a batch of very many jobs is inserted.

use super::calls::Client;
use crate::calls::Call;
use crate::measure::median;
use crate::redis::Redis;
use crate::servers::Server;
use anyhow::Result;
use serde::Serialize;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How many jobs the batch has: as many as it may.
pub(crate) const BATCH: usize = 100_000;

/// A job's payload, in bytes, so that the batch is below the default limit of a body.
const PAYLOAD: usize = 32;

/// How many jobs are taken at a time, to see that all came out.
const TAKEN: usize = 1000;

/// How many others there are, each with a queue of its own.
const OTHERS: usize = 4;

/// What was found: medians, in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Stall {
    pub(crate) jobs: usize,
    /// From the request for the batch to its response.
    pub(crate) batch_millis: f64,
    /// The longest that another client waited for a response meanwhile.
    pub(crate) longest_millis: f64,
    /// The same of all rounds together.
    pub(crate) longest_of_all_millis: f64,
}

pub(crate) async fn measure(rounds: u32, server: &Server, redis: &Redis) -> Result<Stall> {
    let (mut batches, mut longest) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (batch, other) = round(server, redis).await?;
        batches.push(millis(batch));
        longest.push(millis(other));
    }
    Ok(Stall {
        jobs: BATCH,
        batch_millis: median(batches),
        longest_millis: median(longest.iter().copied()),
        longest_of_all_millis: longest.into_iter().fold(0.0, f64::max),
    })
}

/// How long the batch took, and the longest that one of the others waited.
async fn round(server: &Server, redis: &Redis) -> Result<(Duration, Duration)> {
    redis.clear().await?;
    let address = server.process.address;
    let mut client = Client::open(address, "batch", server.bare(), PAYLOAD).await?;
    let batch = Call::InsertBatch(BATCH);
    let request = client.prepare(batch)?;
    let goes_on = Rc::new(Cell::new(true));
    let longest = Rc::new(Cell::new(Duration::ZERO));
    let mut others = JoinSet::new();
    for place in 0..OTHERS {
        let mut other = Client::open(address, &format!("other-{place}"), server.bare(), PAYLOAD).await?;
        // Its first requests may need new instances, with or without a batch.
        other.send(Call::Insert).await?;
        other.send(Call::Fetch).await?;
        let (goes_on, longest) = (goes_on.clone(), longest.clone());
        others.spawn_local(async move {
            while goes_on.get() {
                for call in [Call::Insert, Call::Fetch] {
                    let time = other.send(call).await?;
                    longest.set(longest.get().max(time));
                }
            }
            other.round.check()
        });
    }
    let batch = client.send_prepared(batch, request).await?;
    goes_on.set(false);
    while let Some(other) = others.join_next().await {
        other??;
    }
    client.repeat(Call::FetchBatch(TAKEN), BATCH / TAKEN).await?;
    client.round.check()?;
    Ok((batch, longest.get()))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
