//! Requests one after another on each of some connections, for a time or until nothing is left.

use crate::calls::{Call, Round};
use crate::client::Connection;
use crate::cpu;
use anyhow::{Context, Result};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// For how much of a round's time its server is warmed up before: a new instance must not be part of it.
pub(crate) const WARM_UP: u32 = 10;

/// Latencies, in the order in which they were met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn note(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    pub(crate) fn extend(&mut self, others: &Self) {
        self.0.extend(&others.0);
    }

    /// The latency in microseconds that this share of all do not exceed, such as 0.99; 0 of none.
    pub(crate) fn quantile(&mut self, share: f64) -> f64 {
        let count = self.0.len();
        let rank = (share * count as f64).ceil() as usize;
        let Some(at) = rank.clamp(1, count.max(1)).checked_sub(1).filter(|at| *at < count) else {
            return 0.0;
        };
        let (_, latency, _) = self.0.select_nth_unstable(at);
        latency.as_secs_f64() * 1e6
    }
}

/// What one round of one kind of request gave.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Requests that were about at least one job.
    pub(crate) requests: u64,
    pub(crate) jobs: u64,
    pub(crate) time: Duration,
    pub(crate) latencies: Latencies,
    /// Processor time of the server, of Redis and of this process.
    pub(crate) cpu: Option<[Duration; 3]>,
}

/// A server and its Redis, by their process ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pids {
    pub(crate) server: u32,
    pub(crate) redis: u32,
}

impl Pids {
    /// Processor time until now of the server, of Redis and of this process.
    pub(crate) fn cpu(self) -> Option<[Duration; 3]> {
        let own = std::process::id();
        Some([
            cpu::time_of(self.server)?,
            cpu::time_of(self.redis)?,
            cpu::time_of(own)?,
        ])
    }

    /// What was used between two looks.
    pub(crate) fn between(before: Option<[Duration; 3]>, after: Option<[Duration; 3]>) -> Option<[Duration; 3]> {
        let ([server_before, redis_before, own_before], [server, redis, own]) = before.zip(after)?;
        // Threads may have ended.
        Some([
            server.saturating_sub(server_before),
            redis.saturating_sub(redis_before),
            own.saturating_sub(own_before),
        ])
    }
}

/// Connections to one server, which work at the same time.
pub(crate) struct Clients {
    connections: Vec<Connection>,
}

impl Clients {
    pub(crate) async fn open(address: SocketAddr, count: usize) -> Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(Connection::open(address).await?);
        }
        Ok(Self { connections })
    }

    /// Sends requests of one kind: for so long if they insert, else until there are no more jobs.
    ///
    /// # Errors
    /// A response is not the right one, or a connection broke.
    pub(crate) async fn run(&mut self, call: Call, round: &Rc<Round>, time: Duration, pids: Pids) -> Result<Sample> {
        let before = pids.cpu();
        let start = Instant::now();
        let shared = Rc::new(Shared {
            end: call.inserts().then(|| start + time),
            last: Cell::new(start),
            requests: Cell::new(0),
            jobs: Cell::new(0),
            latencies: RefCell::default(),
        });
        let mut clients = JoinSet::new();
        for connection in self.connections.drain(..) {
            let (round, shared) = (round.clone(), shared.clone());
            clients.spawn_local(async move { client(connection, call, &round, &shared).await });
        }
        while let Some(connection) = clients.join_next().await {
            self.connections.push(connection??);
        }
        let cpu = Pids::between(before, pids.cpu());
        Ok(Sample {
            requests: shared.requests.get(),
            jobs: shared.jobs.get(),
            time: shared.last.get() - start,
            latencies: shared.latencies.take(),
            cpu,
        })
    }
}

/// What the clients of one round share.
struct Shared {
    /// When they stop, if not because nothing is left.
    end: Option<Instant>,
    /// When the last response came that was about a job.
    last: Cell<Instant>,
    requests: Cell<u64>,
    jobs: Cell<u64>,
    latencies: RefCell<Latencies>,
}

async fn client(mut connection: Connection, call: Call, round: &Round, shared: &Shared) -> Result<Connection> {
    let mut held = Vec::new();
    while shared.end.is_none_or(|end| Instant::now() < end) {
        let Some(request) = call.request(round, &mut held) else {
            break;
        };
        let sent = Instant::now();
        let (status, body) = connection.send(request.method, &request.target, request.body).await?;
        let came = Instant::now();
        let jobs = call.read(round, &mut held, status, &body)?;
        if jobs == 0 {
            break;
        }
        shared.latencies.borrow_mut().note(came - sent);
        shared.requests.set(shared.requests.get() + 1);
        shared.jobs.set(shared.jobs.get() + jobs);
        shared.last.set(came);
    }
    Ok(connection)
}

/// The median of some numbers, 0 of none.
pub(crate) fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = numbers.get(middle).copied().unwrap_or_default();
    match numbers.len() % 2 {
        0 => {
            (upper
                + middle
                    .checked_sub(1)
                    .and_then(|at| numbers.get(at))
                    .copied()
                    .unwrap_or_default())
                / 2.0
        }
        _ => upper,
    }
}

/// How many a second.
pub(crate) fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(1e-6)
}

/// Does something within this time.
///
/// # Errors
/// It takes longer than this.
pub(crate) async fn in_time<T>(patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let done = tokio::time::timeout(patience, work).await;
    done.with_context(|| format!("not done after {} seconds", patience.as_secs()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_latency_that_so_many_do_not_exceed() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantile(0.5), 0.0);
        for micros in (1..=100).rev() {
            latencies.note(Duration::from_micros(micros));
        }
        assert_eq!(
            [0.0, 0.5, 0.99, 1.0].map(|share| latencies.quantile(share).round()),
            [1.0, 50.0, 99.0, 100.0]
        );
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }
}
