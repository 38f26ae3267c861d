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

use args::Args;
use clap::Parser;
use exit::Exit;
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// The host's, for `up`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let exit = match commands::run(args) {
        Ok(exit) => exit,
        Err(error) => {
            output::error(&error);
            Exit::of(&error)
        }
    };
    exit.into()
}
