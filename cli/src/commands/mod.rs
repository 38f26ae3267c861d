//! The commands: a file each. One has a struct with its arguments, and `run`, which sends requests and prints what they give.

mod bench;
mod completions;
mod dead;
mod delete;
mod doctor;
mod drain;
mod export;
mod health;
mod import;
mod job;
mod jobs;
mod key;
mod man;
mod pull;
mod push;
mod queue;
mod queues;
mod redrive;
mod slices;
mod tail;
mod top;
mod up;
mod work;

use crate::api::Api;
use crate::args::Shared;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use clap::Subcommand;

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(Box<up::Up>),
    #[command(flatten)]
    Client(Client),
    Key(key::Key),
    Completions(completions::Completions),
    Man(man::Man),
    /// Kills what a worker leaves running when it is killed itself.
    #[command(hide = true)]
    WorkGuard,
}

/// What is asked of a server.
#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    Push(push::Push),
    Pull(pull::Pull),
    Work(work::Work),
    Queues(queues::Queues),
    Queue(queue::Queue),
    Stop(queue::Stop),
    Start(queue::Start),
    Drain(drain::Drain),
    Delete(delete::Delete),
    Jobs(jobs::Jobs),
    Job(job::Job),
    Dead(dead::Dead),
    Redrive(redrive::Redrive),
    Export(export::Export),
    Import(import::Import),
    Tail(tail::Tail),
    Top(top::Top),
    Health(health::Health),
    Doctor(doctor::Doctor),
    Bench(bench::Bench),
}

/// Carries a command out. `all` describes the whole command line, for `completions` and `man`.
///
/// # Errors
/// Why it could not be carried out. [`Exit::of`] says which exit code that has.
pub(crate) fn run(shared: &Shared, command: Command, all: fn() -> clap::Command) -> Result<Exit> {
    let out = shared.output();
    match command {
        // It has a runtime of its own.
        Command::Up(up) => up.run(out),
        Command::Client(client) => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(client.run(&shared.api()?, out))
        }
        Command::Key(key) => key.run(out),
        Command::Completions(completions) => completions.run(&mut all(), out),
        Command::Man(man) => man.run(all()),
        Command::WorkGuard => work::run_guard(),
    }
}

impl Client {
    async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        match self {
            Self::Push(push) => push.run(api, out).await,
            Self::Pull(pull) => pull.run(api, out).await,
            Self::Work(work) => work.run(api, out).await,
            Self::Queues(queues) => queues.run(api, out).await,
            Self::Queue(queue) => queue.run(api, out).await,
            Self::Stop(stop) => stop.run(api, out).await,
            Self::Start(start) => start.run(api, out).await,
            Self::Drain(drain) => drain.run(api, out).await,
            Self::Delete(delete) => delete.run(api, out).await,
            Self::Jobs(jobs) => jobs.run(api, out).await,
            Self::Job(job) => job.run(api, out).await,
            Self::Dead(dead) => dead.run(api, out).await,
            Self::Redrive(redrive) => redrive.run(api, out).await,
            Self::Export(export) => export.run(api, out).await,
            Self::Import(import) => import.run(api, out).await,
            Self::Tail(tail) => tail.run(api, out).await,
            Self::Top(top) => top.run(api, out).await,
            Self::Health(health) => health.run(api, out).await,
            Self::Doctor(doctor) => doctor.run(api, out).await,
            Self::Bench(bench) => bench.run(api, out).await,
        }
    }
}
