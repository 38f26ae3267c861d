//! The command: see `presque-host --help`.

use clap::Parser;
use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    if presque_host::run(&presque_host::Flags::parse()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}
