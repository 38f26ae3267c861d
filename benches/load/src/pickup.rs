//! How long a job waits until a worker has it that waits for it: jobs are inserted at a fixed rate, whatever becomes of those
//! before, and the time counts from when each was to be sent.

use crate::calls::{Call, Round, acks};
use crate::client::Connection;
use crate::measure::Latencies;
use crate::redis::Redis;
use crate::servers::{Kind, Server};
use anyhow::{Context, Result, ensure};
use http::Method;
use serde::Serialize;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

/// How long jobs that come at a fixed rate wait until a worker has them that waits for them.
#[derive(Debug, Serialize)]
pub(crate) struct Pickup {
    pub(crate) server: Kind,
    pub(crate) workers: usize,
    /// Jobs a second.
    pub(crate) rate: u32,
    pub(crate) p50_micros: f64,
    pub(crate) p99_micros: f64,
    pub(crate) max_micros: f64,
}

/// How many workers wait, and on how many connections jobs are sent.
pub(crate) const WORKERS: usize = 16;

/// The payload of a job, in bytes.
pub(crate) const PAYLOAD: usize = 100;

/// For how many seconds a claim waits. The last ones of a round do so in vain.
const WAIT: u32 = 1;

/// Whether a server has claims that wait.
pub(crate) fn takes_part(kind: Kind) -> bool {
    !matches!(kind, Kind::Bare | Kind::NativeBare | Kind::Webdis | Kind::BullMq)
}

/// When each job is to be sent.
#[derive(Clone, Copy)]
struct Schedule {
    start: Instant,
    interval: Duration,
}

impl Schedule {
    /// The time of the job with this number, from 1 on.
    fn time(self, number: u64) -> Instant {
        let before = u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX);
        self.start + self.interval * before
    }
}

/// Inserts so many jobs a second for so long, and gives how long each took until a worker had it. `place` is the place of
/// this round.
pub(crate) async fn round(server: &Server, redis: &Redis, rate: u32, time: Duration, place: u32) -> Result<Latencies> {
    redis.clear().await?;
    let count = (time.as_secs_f64() * f64::from(rate)).ceil() as u64;
    // A worker of another server or round may still wait for jobs of its queue.
    let queue = format!("pickup-{}-{place}", server.process.address.port());
    let round = Rc::new(Round::new(queue, server.bare(), PAYLOAD));
    let latencies = Rc::new(RefCell::new(Latencies::default()));
    // The time of the first job is a little later: then all are ready.
    let schedule = Schedule {
        start: Instant::now() + Duration::from_millis(200),
        interval: Duration::from_secs(1) / rate,
    };
    let mut tasks = JoinSet::new();
    for _ in 0..WORKERS {
        let connection = Connection::open(server.process.address).await?;
        let (round, latencies) = (round.clone(), latencies.clone());
        tasks.spawn_local(async move { work(connection, &round, schedule, count, &latencies).await });
    }
    let (ticks, due) = unbounded_channel();
    let due = Rc::new(Mutex::new(due));
    for _ in 0..WORKERS {
        let connection = Connection::open(server.process.address).await?;
        let (round, due) = (round.clone(), due.clone());
        tasks.spawn_local(async move { produce(connection, &round, &due).await });
    }
    // A thread of its own: the timers of the runtime have whole milliseconds.
    std::thread::spawn(move || {
        for number in 1..=count {
            std::thread::sleep(schedule.time(number).saturating_duration_since(Instant::now()));
            if ticks.send(()).is_err() {
                return;
            }
        }
    });
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    round.check()?;
    Ok(latencies.take())
}

/// Sends a job whenever one is due.
async fn produce(mut connection: Connection, round: &Round, due: &Mutex<UnboundedReceiver<()>>) -> Result<()> {
    const INSERT: Call = Call::InsertV1(1);
    let mut held = Vec::new();
    loop {
        if due.lock().await.recv().await.is_none() {
            return Ok(());
        }
        let request = INSERT.request(round, &mut held).context("an insert")?;
        let (status, body) = connection.send(request.method, &request.target, request.body).await?;
        INSERT.read(round, &mut held, status, &body)?;
    }
}

/// Claims, and acknowledges what was claimed before, until so many jobs are acknowledged by all workers together.
async fn work(
    mut connection: Connection,
    round: &Round,
    schedule: Schedule,
    count: u64,
    latencies: &RefCell<Latencies>,
) -> Result<()> {
    let target = format!("/v1/queues/{}/claims", round.queue);
    let mut held = Vec::new();
    while round.acked() < count {
        let body = format!("{{\"lease\":60,\"wait\":{WAIT},{}}}", acks(&held));
        let (status, body) = connection.send(Method::POST, &target, body.into()).await?;
        let came = Instant::now();
        ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        held = round.note(&body, &held)?;
        for number in round.jobs.numbers(&body) {
            let latency = came.saturating_duration_since(schedule.time(number?));
            latencies.borrow_mut().note(latency);
        }
    }
    Ok(())
}
