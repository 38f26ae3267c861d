//! The benchmark: presque, the bare component, a native server and others side by side, on one machine and one Redis.
//!
//! See docs/performance.md for what is measured, and what each figure means.

mod bullmq;
mod calls;
mod client;
mod cpu;
mod exact;
mod fan_out;
mod flags;
mod jobs;
mod machine;
mod measure;
mod paths;
mod pickup;
mod progress;
mod redis;
mod report;
mod rounds;
mod servers;
mod tables;
mod workloads;

use anyhow::{Context, Result};
use clap::Parser;
use flags::{Flags, Part};
use machine::Machine;
use paths::Paths;
use progress::Progress;
use redis::Redis;
use report::Report;
use rounds::Rounds;
use servers::{Kind, Subjects};
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;
use workloads::WORKLOADS;

impl Flags {
    /// Whether a part of the benchmark is wanted.
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Whether a server has a part in what is wanted.
    fn needs(&self, kind: Kind) -> bool {
        let mut workloads = WORKLOADS.iter().filter(|workload| self.wants(workload.part));
        workloads.any(|workload| workload.takes_part(kind))
            || self.wants(Part::FanOut) && fan_out::takes_part(kind)
            || self.wants(Part::Pickup) && pickup::takes_part(kind)
            || exact::PARTS
                .iter()
                .any(|part| self.wants(*part) && exact::takes_part(*part, kind))
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
        // The terminal is closed.
        let mut hang_up = signal(SignalKind::hangup())?;
        // Whatever ends it, the servers end with it. What a signal brings about beside that is not what is to be told.
        tokio::select! {
            biased;
            _ = terminate.recv() => anyhow::bail!("stopped"),
            _ = interrupt.recv() => anyhow::bail!("stopped"),
            _ = hang_up.recv() => anyhow::bail!("stopped"),
            result = run(flags) => result,
        }
    })
}

async fn run(flags: &Flags) -> Result<()> {
    // Before all that takes time.
    let json = flags.json.as_deref().map(open).transpose()?;
    let paths = Paths::find()?;
    let redis = Redis::start(&paths.target(), flags.fsync).await?;
    let mut subjects = Subjects::start(flags, &paths, &redis).await?;
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
        versions: subjects.versions,
        fsync: flags.fsync.to_string(),
        rounds: flags.rounds,
        seconds: flags.seconds.as_secs_f64(),
        left_out: subjects.left_out,
        timed: report::rows(&timed),
        fan_out,
        pickup,
        exact,
    };
    println!("{report}");
    if let Some(file) = json {
        // What an earlier run wrote.
        file.set_len(0)?;
        serde_json::to_writer_pretty(file, &report).context("--json: cannot write the file")?;
    }
    Ok(())
}

/// Opens the file for the report. It keeps what it has until there is a new one.
fn open(path: &Path) -> Result<File> {
    let file = File::options().write(true).create(true).truncate(false).open(path);
    file.with_context(|| format!("--json {}: cannot write this file", path.display()))
}
