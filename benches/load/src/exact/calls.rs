//! Requests one after another on one connection.

use crate::calls::{Call, Request, Round};
use crate::client::Connection;
use crate::redis::{Info, Redis};
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A client, what it holds, and the jobs of its queue.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) round: Round,
    held: Vec<String>,
}

impl Client {
    /// Connects. `bare` is where the server has the bare script.
    pub(crate) async fn open(address: SocketAddr, queue: &str, bare: &'static str, payload: usize) -> Result<Self> {
        Ok(Self {
            connection: Connection::open(address).await?,
            round: Round::new(queue.to_owned(), bare, payload),
            held: Vec::new(),
        })
    }

    /// Sends a request, and gives how long its response took.
    ///
    /// # Errors
    /// It was about no job.
    pub(crate) async fn send(&mut self, call: Call) -> Result<Duration> {
        let request = self.prepare(call)?;
        self.send_prepared(call, request).await
    }

    /// Makes a request, for [`Client::send_prepared`]: a large one takes a while.
    pub(crate) fn prepare(&mut self, call: Call) -> Result<Request> {
        let request = call.request(&self.round, &mut self.held);
        request.with_context(|| format!("{call:?}: nothing is left"))
    }

    pub(crate) async fn send_prepared(&mut self, call: Call, request: Request) -> Result<Duration> {
        let sent = Instant::now();
        let (status, body) = self
            .connection
            .send(request.method, &request.target, request.body)
            .await?;
        let time = sent.elapsed();
        let jobs = call.read(&self.round, &mut self.held, status, &body)?;
        ensure!(jobs > 0, "{call:?}: nothing is left");
        Ok(time)
    }

    /// Sends so many requests.
    pub(crate) async fn repeat(&mut self, call: Call, count: usize) -> Result<()> {
        for _ in 0..count {
            self.send(call).await?;
        }
        Ok(())
    }

    /// Sends so many requests, and gives how many microseconds Redis spent in scripts for each.
    pub(crate) async fn redis_micros(&mut self, redis: &Redis, call: Call, count: usize) -> Result<f64> {
        let before = script_micros(&redis.info().await?)?;
        self.repeat(call, count).await?;
        let after = script_micros(&redis.info().await?)?;
        Ok((after - before) as f64 / count as f64)
    }
}

/// Microseconds that Redis has spent in scripts, with all that they call.
fn script_micros(info: &Info) -> Result<u64> {
    let mut sum = 0;
    for command in ["eval", "evalsha"] {
        // One that was never called is not there.
        let Ok(text) = info.text(&format!("cmdstat_{command}")) else {
            continue;
        };
        let micros = text.split(',').find_map(|value| value.strip_prefix("usec="));
        sum += micros.context("usec")?.parse::<u64>()?;
    }
    Ok(sum)
}
