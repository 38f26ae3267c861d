//! The soak tests: jobs go in and come out through the real components while all around them is killed, cut and
//! flushed. At the end every job is accounted for: none lost, none finished twice, none from nowhere.
//!
//! Hosts and Redis are what is called the environment here. There are three: hosts that share a Redis, a host with a
//! private one, and hosts that share a cluster.
//!
//! `PRESQUE_SOAK_SECONDS` says for how long things break, `PRESQUE_SOAK_SEED` repeats the choices of another run;
//! `cargo xtask soak` sets both.

mod api;
mod audit;
mod audit_tests;
mod cluster;
mod environment;
mod hosts;
mod ledger;
mod private_redis;
mod process;
mod producer;
mod rng;
mod server;
mod shared_redis;
mod worker;

use crate::support::{Client, assert_cluster_sound, assert_sound};
use api::Api;
use audit::Audit;
use cluster::SharedCluster;
use environment::Environment;
use ledger::{Event, Journal, Ledger};
use private_redis::PrivateRedis;
use producer::Producer;
use rng::Rng;
use shared_redis::SharedRedis;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::task::JoinSet;
use worker::{Behaviour, Worker};

/// One queue keeps what is finished, the other forgets it.
const QUEUES: [&str; 2] = ["kept", "gone"];

const PRODUCERS: usize = 30;
const WORKERS: usize = 20;
const PROCESSES: usize = 3;

/// For how long things break in a test run, in seconds: around hosts that share a Redis or a cluster, and around a host with
/// a private one. The tests run at the same time.
const SECONDS: u64 = 30;
const PRIVATE_SECONDS: u64 = 8;

/// How long it may take to finish what is open when nothing breaks any more.
const MAX_DRAIN: Duration = Duration::from_secs(120);

/// How often the server is asked how much is open.
const POLL: Duration = Duration::from_millis(100);

/// What all tasks know.
#[derive(Clone, Default)]
struct Signals {
    /// The next job's number.
    numbers: Arc<AtomicU64>,
    /// How many jobs are open, as the server said last.
    open: Arc<AtomicU64>,
    end: Arc<AtomicBool>,
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_job_is_accounted_for_whatever_breaks() {
    let mut environment = SharedRedis::start().await;
    let account = account_for_every_job("Hosts that share a Redis", &mut environment, SECONDS).await;
    account.assert_good();
    assert_sound(&environment.redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_job_is_accounted_for_though_a_private_redis_is_killed_again_and_again() {
    let mut environment = PrivateRedis::start().await;
    let account = account_for_every_job("A host with a private Redis", &mut environment, PRIVATE_SECONDS).await;
    account.assert_good();
    assert_sound(&environment.into_redis().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_job_is_accounted_for_on_a_cluster_whose_answers_wait_for_a_replica() {
    let mut environment = SharedCluster::start(1).await;
    let name = "Hosts that share a cluster, with redis_wait_replicas=1";
    let account = account_for_every_job(name, &mut environment, SECONDS).await;
    account.assert_good();
    assert_cluster_sound(&environment.cluster).await;
}

/// Without replicas to wait for, a failover may lose what was answered. How much is printed, and nothing is asserted of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "cargo xtask soak --cluster runs it: it shows what is lost"]
async fn what_a_cluster_loses_whose_answers_wait_for_no_replica_is_told() {
    let mut environment = SharedCluster::start(0).await;
    let name = "Hosts that share a cluster, with redis_wait_replicas=0";
    let account = account_for_every_job(name, &mut environment, SECONDS).await;
    eprintln!(
        "{name}: {} jobs are lost, which were answered with 201 or came out, and which nobody has finished. A node answers before its replica has a change: \
         what was answered in the moment before its end is gone with it, when the replica takes over.",
        account.lost
    );
    for what in &account.wrong {
        eprintln!("  {}", what.chars().take(160).collect::<String>());
    }
    assert_cluster_sound(&environment.cluster).await;
}

/// What came of it.
struct Account {
    /// Jobs that were acknowledged or came out, and were never finished.
    lost: u64,
    /// Everything that is wrong.
    wrong: Vec<String>,
}

impl Account {
    fn assert_good(&self) {
        assert!(
            self.wrong.is_empty(),
            "{} things are wrong, such as\n{}",
            self.wrong.len(),
            self.wrong[..self.wrong.len().min(20)].join("\n")
        );
    }
}

/// Inserts jobs and works on them while things break, for so many seconds unless `PRESQUE_SOAK_SECONDS` says otherwise.
/// Then finishes all of them, and tells what became of each. The name stands above the table that it prints.
async fn account_for_every_job(name: &str, environment: &mut impl Environment, seconds: u64) -> Account {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = number("PRESQUE_SOAK_SEED").unwrap_or(now.as_secs());
    let time = Duration::from_secs(number("PRESQUE_SOAK_SECONDS").unwrap_or(seconds));
    eprintln!(
        "\n{name}: things break for {} s. PRESQUE_SOAK_SEED={seed}",
        time.as_secs()
    );
    let mut rng = Rng::new(seed);
    let (ledger, journal) = Ledger::shared();
    let start = Instant::now();
    let endpoints = environment.endpoints();
    let client = Client::new(&endpoints[0]);
    for queue in QUEUES {
        let keeps = queue == "kept";
        let partitions = if keeps { 1 } else { environment.partitions() };
        server::configure(&client, queue, keeps, partitions).await;
    }

    let signals = Signals::default();
    let mut producers = JoinSet::new();
    for _ in 0..PRODUCERS {
        let producer = Producer {
            api: Api::new(&endpoints, journal.clone(), rng.split()),
            journal: journal.clone(),
            rng: rng.split(),
            signals: signals.clone(),
        };
        producers.spawn(producer.run());
    }
    let mut workers = start_workers(&endpoints, &mut rng, &journal, Behaviour::FAULTY);
    let mut processes = JoinSet::new();
    for _ in 0..PROCESSES {
        let end = signals.end.clone();
        let end = move || end.load(Ordering::Relaxed);
        processes.spawn(process::restart_until(
            endpoints.clone(),
            rng.split(),
            journal.clone(),
            end,
        ));
    }
    let polling = tokio::spawn(poll_open(Client::new(&endpoints[0]), signals.open.clone()));

    environment.break_for(time, rng.split(), &journal).await;
    signals.end.store(true, Ordering::Relaxed);
    all_ended(producers).await;
    all_ended(processes).await;
    workers.abort_all();
    all_ended(workers).await;
    polling.abort();

    let mut workers = start_workers(&endpoints, &mut rng, &journal, Behaviour::RELIABLE);
    finish_all(&client).await;
    workers.abort_all();
    all_ended(workers).await;

    let mut audits = Vec::new();
    let mut wrong = Vec::new();
    let mut text = String::new();
    for queue in QUEUES {
        let server = server::ask(&client, queue, queue == "kept").await;
        let audit = Audit::of(queue, &ledger.lock().unwrap(), &server);
        wrong.extend(audit.wrong.clone());
        audits.push((queue, audit));
    }
    {
        let ledger = ledger.lock().unwrap();
        wrong.extend(ledger.unexpected.clone());
        text += &audit::table(&audits);
        for (how, times) in &ledger.faults {
            text += &format!("{times:>6} x {how}\n");
        }
        text += &format!("{:>6} x ack with a receipt that was stale by then\n", ledger.stale);
    }
    eprintln!("\n{name}\n{text}All in all {:.1} s.", start.elapsed().as_secs_f64());
    Account {
        lost: audits.iter().map(|(_, audit)| audit.lost).sum(),
        wrong,
    }
}

/// Workers that are started anew when they die; faulty ones are also killed at any moment.
fn start_workers(endpoints: &[String], rng: &mut Rng, journal: &Journal, behaviour: Behaviour) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let (endpoints, journal, mut rng) = (endpoints.to_vec(), journal.clone(), rng.split());
        workers.spawn(async move {
            loop {
                let worker = Worker {
                    name: format!("task-{number}"),
                    api: Api::new(&endpoints, journal.clone(), rng.split()),
                    journal: journal.clone(),
                    rng: rng.split(),
                    behaviour,
                };
                let life = tokio::spawn(worker.run());
                let time = if behaviour.dies > 0 {
                    rng.millis(200..6000)
                } else {
                    Duration::MAX
                };
                let (abort, death) = (AbortOnDrop(life.abort_handle()), tokio::time::timeout(time, life));
                match death.await {
                    Ok(ended) => ended.unwrap(),
                    Err(_) => {
                        let how = "worker task killed".to_owned();
                        journal(Event::Fault { how });
                    }
                }
                drop(abort);
            }
        });
    }
    workers
}

/// Kills a worker's task, wherever it is.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for tasks that end, or were aborted; a panic of one is a panic here.
async fn all_ended(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

async fn all_open(client: &Client) -> Option<u64> {
    let mut sum = 0;
    for queue in QUEUES {
        sum += server::open(client, queue).await?;
    }
    Some(sum)
}

async fn poll_open(client: Client, open: Arc<AtomicU64>) {
    loop {
        if let Some(number) = all_open(&client).await {
            open.store(number, Ordering::Relaxed);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Returns when no job waits and none is being worked on.
async fn finish_all(client: &Client) {
    let start = Instant::now();
    loop {
        let open = all_open(client).await;
        if open == Some(0) {
            return;
        }
        assert!(start.elapsed() < MAX_DRAIN, "{open:?} jobs are not finished");
        tokio::time::sleep(POLL).await;
    }
}
