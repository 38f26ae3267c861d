//! The benchmark: presque, the bare component, a native server and others side by side, on one machine and one Redis.
//!
//! See docs/performance.md for what is measured, and what each figure means.

mod bullmq;
mod calls;
mod client;
mod cpu;
mod exact;
mod fan_out;
mod jobs;
mod machine;
mod measure;
mod pickup;
mod progress;
mod redis;
mod report;
mod rounds;
mod servers;
mod tables;
mod workloads;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use machine::Machine;
use progress::Progress;
use redis::Redis;
use report::Report;
use rounds::Rounds;
use serde::Serialize;
use servers::{Paths, Subjects};
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

/// Measures presque beside the bare component, a native server and others, on this machine and one Redis. It uses the
/// loopback only, and ends by itself.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Flags {
    /// How often each measurement is repeated. The servers take turns within a round.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// For how many seconds each server is sent jobs in a round. Taking them out takes about as long again.
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = seconds)]
    seconds: Duration,

    /// Only these parts of the benchmark; may be given more than once.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(workloads::names()))]
    only: Vec<String>,

    /// Numbers of connections, with commas.
    #[arg(long, value_name = "N,...", default_value = "1,16,64", value_delimiter = ',')]
    connections: Vec<usize>,

    /// Sizes of payloads in bytes, with commas: at least 32.
    #[arg(long, value_name = "BYTES,...", default_value = "100,10000", value_delimiter = ',')]
    payloads: Vec<usize>,

    /// How many jobs a second are inserted where the time until a waiting worker has each is measured.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,

    /// How many jobs wait where very many do.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..=20_000_000))]
    jobs: u32,

    /// When Redis puts what it was told on disk. `always` is what presque's private Redis does.
    #[arg(long, value_enum, default_value_t = Fsync::Always)]
    fsync: Fsync,

    /// Another build of the host to measure beside this one; may be given more than once.
    #[arg(long, value_name = "PROGRAM")]
    also: Vec<PathBuf>,

    /// Write the report as JSON, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if !(0.01..=60.0).contains(&seconds) {
        return Err("must be from 0.01 to 60".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// The setting `appendfsync` of Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Fsync {
    /// Before it answers.
    Always,
    /// Once a second.
    Everysec,
    /// When the system likes to.
    No,
}

impl Flags {
    /// Whether a part of the benchmark is wanted.
    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

impl fmt::Display for Fsync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::Everysec => "everysec",
            Self::No => "no",
        })
    }
}

fn main() -> ExitCode {
    match start(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(flags: &Flags) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // Whatever ends it, the servers end with it.
        tokio::select! {
            result = run(flags) => result,
            _ = terminate.recv() => anyhow::bail!("stopped"),
            _ = interrupt.recv() => anyhow::bail!("stopped"),
        }
    })
}

async fn run(flags: &Flags) -> Result<()> {
    let paths = Paths::find()?;
    let redis = Redis::start(&paths.target(), flags.fsync).await?;
    let mut subjects = Subjects::start(&paths, &redis, &flags.also).await?;
    let machine = Machine::look(&paths, &redis).await?;
    let rounds = Rounds::of(flags);
    let progress = Progress::new(rounds.steps(&subjects) + exact::steps(flags))?;
    let timed = rounds.timed(&mut subjects, &redis, &progress).await?;
    let fan_out = rounds.fan_out(&subjects, &redis, &progress).await?;
    let pickup = rounds.pickup(&subjects, &redis, &progress).await?;
    let exact = exact::measure(flags, &paths, &subjects, &redis, &progress).await?;
    progress.finish();
    let report = Report {
        machine,
        fsync: flags.fsync,
        rounds: flags.rounds,
        seconds: flags.seconds.as_secs_f64(),
        left_out: subjects.left_out,
        timed: report::rows(&timed),
        fan_out,
        pickup,
        exact,
    };
    println!("{report}");
    if let Some(file) = &flags.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}
