//! The command: see `presque --help`.

mod api;
mod args;
mod commands;
mod confirm;
mod exit;
mod export_file;
mod input;
mod insertion;
mod output;
mod progress;
mod text;

use args::Shared;
use clap::{CommandFactory, Parser};
use commands::Command;
use exit::Exit;
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// The host's, for `up`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Serves and uses presque, the HTTP job queue.
#[derive(Debug, Parser)]
#[command(
    name = "presque",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_long_help = exit::TABLE
)]
struct Args {
    #[command(flatten)]
    shared: Shared,

    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let Args { shared, command } = Args::parse();
    let exit = match commands::run(&shared, command, Args::command) {
        Ok(exit) => exit,
        Err(error) => {
            output::error(&error);
            Exit::of(&error)
        }
    };
    exit.into()
}
