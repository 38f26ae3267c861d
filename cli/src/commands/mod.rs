//! The commands: a file each. One has a struct with its arguments, and `run`, which sends requests and prints what they give.

mod queues;
mod up;
mod work;

use crate::args::Args;
use crate::exit::Exit;
use anyhow::Result;
use clap::Subcommand;

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(up::Up),
    Queues(queues::Queues),
    Work(work::Work),
    /// Kills what a worker leaves running when it is killed itself.
    #[command(hide = true)]
    WorkGuard,
}

/// Carries a command out.
///
/// # Errors
/// Why it could not be carried out. [`Exit::of`] says which exit code that has.
pub(crate) fn run(Args { shared, command }: Args) -> Result<Exit> {
    // The server has a runtime of its own.
    if let Command::Up(up) = command {
        return up.run();
    }
    // It talks to nobody.
    if let Command::WorkGuard = command {
        return work::run_guard();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (api, out) = (shared.api()?, shared.output());
    runtime.block_on(async {
        match command {
            Command::Up(_) | Command::WorkGuard => Ok(Exit::Failed),
            Command::Queues(queues) => queues.run(&api, out).await,
            Command::Work(work) => work.run(&api, out).await,
        }
    })
}
