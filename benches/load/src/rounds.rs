//! The rounds: all servers take turns, so that what the machine does beside them hits all alike.

use crate::calls::Round;
use crate::fan_out::{self, FanOut};
use crate::flags::{Flags, Part};
use crate::measure::{Clients, Latencies, Sample, WARM_UP, in_time, median};
use crate::pickup::{self, Pickup};
use crate::progress::Progress;
use crate::redis::Redis;
use crate::servers::{Kind, Server, Subjects};
use crate::workloads::{WORKLOADS, Workload};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// How many times as long jobs are inserted where the rate is fixed, and low.
const PICKUP_TIME: u32 = 4;

/// How long a round may take, besides so many times the time for which jobs are inserted.
const PATIENCE: Duration = Duration::from_secs(60);
const SLOWER: u32 = 20;

/// What is measured together, round for round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Setting {
    /// Its place in the list of workloads, and the step's place in that.
    pub(crate) workload: usize,
    pub(crate) step: usize,
    pub(crate) name: &'static str,
    pub(crate) payload: usize,
    pub(crate) connections: usize,
}

/// What was measured: a sample for each round.
pub(crate) type Measured = BTreeMap<(Setting, Kind), Vec<Sample>>;

/// What to measure, and how often.
pub(crate) struct Rounds<'a> {
    flags: &'a Flags,
    workloads: Vec<(usize, &'static Workload)>,
}

impl<'a> Rounds<'a> {
    pub(crate) fn of(flags: &'a Flags) -> Self {
        let workloads = WORKLOADS.iter().enumerate();
        let workloads = workloads.filter(|(_, workload)| flags.wants(workload.part));
        Self {
            flags,
            workloads: workloads.collect(),
        }
    }

    /// How many steps there are for the progress.
    pub(crate) fn steps(&self, subjects: &Subjects) -> u64 {
        let settings = self.flags.payloads.len() * self.flags.connections.len() * self.flags.rounds as usize;
        let servers = self.workloads.iter().map(|(_, workload)| {
            let servers = subjects.servers.iter();
            let bullmq = usize::from(subjects.bullmq.is_some() && workload.takes_part(Kind::BullMq));
            servers.filter(|server| workload.takes_part(server.kind)).count() + bullmq
        });
        let others = [
            (Part::FanOut, fan_out::takes_part as fn(Kind) -> bool),
            (Part::Pickup, pickup::takes_part),
        ];
        let others = others
            .iter()
            .filter(|(part, _)| self.flags.wants(*part))
            .map(|(_, takes_part)| {
                let servers = subjects.servers.iter();
                servers.filter(|server| takes_part(server.kind)).count() * self.flags.rounds as usize
            });
        (settings * servers.sum::<usize>() + others.sum::<usize>()) as u64
    }

    /// Measures messages to many readers.
    pub(crate) async fn fan_out(&self, subjects: &Subjects, redis: &Redis, progress: &Progress) -> Result<Vec<FanOut>> {
        if !self.flags.wants(Part::FanOut) {
            return Ok(Vec::new());
        }
        progress.begin(&Part::FanOut.to_string());
        let mut times: BTreeMap<Kind, Vec<f64>> = BTreeMap::new();
        for place in 0..self.flags.rounds {
            for server in subjects
                .servers
                .iter()
                .filter(|server| fan_out::takes_part(server.kind))
            {
                let time = self.in_time(fan_out::round(server, redis, place)).await;
                let time = time.with_context(|| format!("{}: {}", server.kind, Part::FanOut))?;
                times.entry(server.kind).or_default().push(time.as_secs_f64());
                progress.step();
            }
        }
        let deliveries = fan_out::MESSAGES as f64 * fan_out::READERS as f64;
        let report = |(server, times): (Kind, Vec<f64>)| FanOut {
            server,
            readers: fan_out::READERS,
            messages: fan_out::MESSAGES,
            deliveries_per_second: deliveries / median(times),
        };
        Ok(times.into_iter().map(report).collect())
    }

    /// Measures how long jobs wait for workers that wait.
    pub(crate) async fn pickup(&self, subjects: &Subjects, redis: &Redis, progress: &Progress) -> Result<Vec<Pickup>> {
        if !self.flags.wants(Part::Pickup) {
            return Ok(Vec::new());
        }
        progress.begin(&Part::Pickup.to_string());
        let (rate, time) = (self.flags.rate, self.flags.seconds * PICKUP_TIME);
        let mut all: BTreeMap<Kind, Latencies> = BTreeMap::new();
        for place in 0..self.flags.rounds {
            for server in subjects.servers.iter().filter(|server| pickup::takes_part(server.kind)) {
                let latencies = self.in_time(pickup::round(server, redis, rate, time, place)).await;
                let latencies = latencies.with_context(|| format!("{}: {}", server.kind, Part::Pickup))?;
                all.entry(server.kind).or_default().extend(&latencies);
                progress.step();
            }
        }
        let report = |(server, mut latencies): (Kind, Latencies)| Pickup {
            server,
            workers: pickup::WORKERS,
            rate,
            p50_micros: latencies.quantile(0.5),
            p99_micros: latencies.quantile(0.99),
            max_micros: latencies.quantile(1.0),
        };
        Ok(all.into_iter().map(report).collect())
    }

    /// Measures the workloads.
    pub(crate) async fn timed(&self, subjects: &mut Subjects, redis: &Redis, progress: &Progress) -> Result<Measured> {
        let mut measured = Measured::new();
        for &(index, workload) in &self.workloads {
            for &payload in &self.flags.payloads {
                for &connections in &self.flags.connections {
                    progress.begin(&format!(
                        "{}, {payload} bytes, {connections} connections",
                        workload.part
                    ));
                    let mut note = |kind, names: &mut dyn Iterator<Item = &'static str>, samples: Vec<Sample>| {
                        for ((name, sample), step) in names.zip(samples).zip(0..) {
                            let setting = Setting {
                                workload: index,
                                step,
                                name,
                                payload,
                                connections,
                            };
                            measured.entry((setting, kind)).or_default().push(sample);
                        }
                        progress.step();
                    };
                    for _ in 0..self.flags.rounds {
                        for server in &subjects.servers {
                            let steps = workload.steps(server.kind);
                            if steps.is_empty() {
                                continue;
                            }
                            if let Kind::Fsync(fsync) = server.kind {
                                redis.set_fsync(fsync).await?;
                            }
                            let samples = round(server, redis, workload, payload, connections, self.flags.seconds);
                            let samples = self.in_time(samples).await;
                            let samples = samples.with_context(|| format!("{}: {}", server.kind, workload.part))?;
                            redis.set_fsync(self.flags.fsync).await?;
                            note(server.kind, &mut steps.iter().map(|step| step.name), samples);
                        }
                        let steps = workload.bullmq;
                        if let Some(bullmq) = subjects.bullmq.as_mut().filter(|_| !steps.is_empty()) {
                            let samples = bullmq.round(redis, steps, payload, connections, self.flags.seconds);
                            let samples = self.in_time(samples).await;
                            let samples = samples.with_context(|| format!("BullMQ: {}", workload.part))?;
                            note(Kind::BullMq, &mut steps.iter().map(|step| step.name), samples);
                        }
                    }
                }
            }
        }
        Ok(measured)
    }

    /// Waits for a round, but not for ever: a server that hangs is an error. What is inserted quickly by 100 is taken out one
    /// by one where BullMQ does so, which takes several times as long.
    async fn in_time<T>(&self, round: impl Future<Output = Result<T>>) -> Result<T> {
        in_time(PATIENCE + self.flags.seconds * SLOWER, round).await
    }
}

/// One round of one workload on one server: a sample for each step.
async fn round(
    server: &Server,
    redis: &Redis,
    workload: &Workload,
    payload: usize,
    connections: usize,
    time: Duration,
) -> Result<Vec<Sample>> {
    let steps = workload.steps(server.kind);
    let pids = server.pids(redis.pid());
    redis.clear().await?;
    let mut clients = Clients::open(server.process.address, connections).await?;
    let warm_up = Rc::new(Round::new("warm-up".to_owned(), server.bare(), payload));
    for step in steps {
        clients.run(step.call, &warm_up, time / WARM_UP, pids).await?;
    }
    let round = Rc::new(Round::new("bench".to_owned(), server.bare(), payload));
    let mut samples = Vec::new();
    for step in steps {
        samples.push(clients.run(step.call, &round, time, pids).await?);
    }
    round.check()?;
    Ok(samples)
}
