//! `presque bench`: how many jobs a second go through the server.

use crate::api::{Api, Failure};
use crate::exit::Exit;
use crate::output::{self, Output};
use anyhow::{Result, anyhow};
use futures_util::future::try_join_all;
use reqwest::Method;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// Measures how many jobs a second are inserted, and claimed and acknowledged, and how long requests take.
///
/// It has a queue of its own, bench-<random>, which it deletes at the end, also after Ctrl-C. A server on another machine may serve others:
/// it is measured with --allow-remote alone.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Bench {
    /// How many jobs at most.
    #[arg(long, value_name = "N", default_value = "10000", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    jobs: u64,
    /// For how many seconds jobs are inserted, and then claimed, at most.
    #[arg(long, value_name = "N", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// How many requests are under way at the same time.
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u64).range(1..=1000))]
    concurrency: u64,
    /// How many jobs a request has.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u64).range(1..=100))]
    batch: u64,
    /// How many bytes a payload has.
    #[arg(long, value_name = "BYTES", default_value = "96", value_parser = clap::value_parser!(u64).range(2..=65_536))]
    size: u64,
    /// Measure a server that is not on this machine.
    #[arg(long)]
    allow_remote: bool,
}

/// What was measured.
#[derive(Serialize)]
struct Measured {
    queue: String,
    concurrency: u64,
    batch: u64,
    size: u64,
    insert: Phase,
    work: Phase,
}

/// From the first request to the last answer.
#[derive(Serialize)]
struct Phase {
    jobs: u64,
    seconds: f64,
    jobs_per_second: f64,
    requests: usize,
    p50_ms: f64,
    p99_ms: f64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Claimed {
    jobs: Vec<Job>,
    acks: Vec<Acked>,
}

#[derive(Deserialize)]
struct Job {
    receipt: String,
}

#[derive(Deserialize)]
struct Acked {
    status: String,
}

impl Bench {
    /// Measures, and deletes the queue however that ends.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        if !api.is_local() && !self.allow_remote {
            let url = api.base();
            output::error(&anyhow!(
                "{url} is not on this machine: if nobody minds the load, give --allow-remote"
            ));
            return Ok(Exit::Usage);
        }
        let queue = format!("bench-{:016x}", random()?);
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let make = api.request(Method::PUT, &["queues", &queue]);
        let make = make.header("if-none-match", "*")?.json(&json!({}))?;
        api.send::<IgnoredAny>(&make).await?;
        let measured = tokio::select! {
            measured = self.measure(api, &queue) => measured,
            _ = interrupt.recv() => Err(anyhow!("interrupted")),
            _ = terminate.recv() => Err(anyhow!("interrupted")),
        };
        let deleted = self.delete(api, &queue).await;
        let measured = measured?;
        deleted?;
        out.either(&measured, || measured.text())?;
        Ok(Exit::Done)
    }

    async fn delete(&self, api: &Api, queue: &str) -> Result<()> {
        let mut tries = 5;
        let request = api.request(Method::DELETE, &["queues", queue]);
        let deleted = api.send_until::<Option<IgnoredAny>>(&request, |_| {
            tries -= 1;
            tries > 0
        });
        deleted.await.inspect_err(|_| {
            output::note(format!(
                "The queue {queue} could not be deleted: presque delete {queue} does it."
            ));
        })?;
        Ok(())
    }

    async fn measure(&self, api: &Api, queue: &str) -> Result<Measured> {
        let insert = self.phase(async |end| self.insert(api, queue, end).await).await?;
        let work = self.phase(async |end| self.work(api, queue, end).await).await?;
        Ok(Measured {
            queue: queue.to_owned(),
            concurrency: self.concurrency,
            batch: self.batch,
            size: self.size,
            insert,
            work,
        })
    }

    async fn phase(&self, run: impl AsyncFnOnce(Instant) -> Result<(u64, Vec<Duration>)>) -> Result<Phase> {
        let start = Instant::now();
        let (jobs, mut times) = run(start + Duration::from_secs(self.seconds)).await?;
        let seconds = start.elapsed().as_secs_f64();
        times.sort_unstable();
        let at = |percent: usize| {
            let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate is told")]
        let jobs_per_second = jobs as f64 / seconds;
        Ok(Phase {
            jobs,
            seconds,
            jobs_per_second,
            requests: times.len(),
            p50_ms: at(50),
            p99_ms: at(99),
        })
    }

    async fn insert(&self, api: &Api, queue: &str, end: Instant) -> Result<(u64, Vec<Duration>)> {
        let taken = AtomicU64::new(0);
        let payload = "x".repeat(usize::try_from(self.size)?.saturating_sub(2));
        let tasks = (0..self.concurrency).map(|_| async {
            let (mut inserted, mut times) = (0, Vec::new());
            while Instant::now() < end {
                let count = self
                    .batch
                    .min(self.jobs.saturating_sub(taken.fetch_add(self.batch, Ordering::Relaxed)));
                if count == 0 {
                    break;
                }
                let jobs: Vec<_> = (0..count).map(|_| json!({ "payload": payload })).collect();
                let request = api.post(&["queues", queue, "jobs"]);
                let request = match jobs.as_slice() {
                    [job] => request.json(job)?,
                    jobs => request.json(&json!({ "jobs": jobs }))?,
                };
                let start = Instant::now();
                api.send::<IgnoredAny>(&request).await?;
                times.push(start.elapsed());
                inserted += count;
            }
            anyhow::Ok((inserted, times))
        });
        Ok(sum(try_join_all(tasks).await?))
    }

    async fn work(&self, api: &Api, queue: &str, end: Instant) -> Result<(u64, Vec<Duration>)> {
        let tasks = (0..self.concurrency).map(|_| async {
            let (mut done, mut times, mut acks) = (0, Vec::new(), Vec::new());
            while Instant::now() < end {
                let had = acks.len();
                let request = api.post(&["queues", queue, "claims"]);
                let request = request.json(&json!({ "count": self.batch, "acks": acks }))?;
                let start = Instant::now();
                let claimed = claim(api, &request).await?;
                times.push(start.elapsed());
                done += claimed.acks.iter().filter(|ack| ack.status == "done").count() as u64;
                let receipts = claimed.jobs.into_iter().map(|job| json!({ "receipt": job.receipt }));
                acks = receipts.collect();
                if acks.is_empty() && had == 0 {
                    break;
                }
            }
            anyhow::Ok((done, times))
        });
        Ok(sum(try_join_all(tasks).await?))
    }
}

/// 204, where there is no job and there are no acks, has no body.
async fn claim(api: &Api, request: &crate::api::Request) -> Result<Claimed, Failure> {
    Ok(api.send::<Option<Claimed>>(request).await?.unwrap_or_default())
}

fn sum(parts: Vec<(u64, Vec<Duration>)>) -> (u64, Vec<Duration>) {
    let mut sum = (0, Vec::new());
    for (jobs, times) in parts {
        sum.0 += jobs;
        sum.1.extend(times);
    }
    sum
}

fn random() -> Result<u64> {
    getrandom::u64().map_err(|error| anyhow!("the system gives no random numbers: {error}"))
}

impl Measured {
    fn text(&self) -> String {
        let phase = |name, phase: &Phase| {
            format!(
                "{name:<14} {:>8.0} jobs/s: {} in {:.2} s; a request took {:.2} ms (p50), {:.2} ms (p99)",
                phase.jobs_per_second, phase.jobs, phase.seconds, phase.p50_ms, phase.p99_ms
            )
        };
        [
            phase("insert", &self.insert),
            phase("claim and ack", &self.work),
            format!(
                "with {} requests at a time, {} jobs a request, payloads of {} bytes",
                self.concurrency, self.batch, self.size
            ),
        ]
        .join("\n")
    }
}
