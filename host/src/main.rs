//! The command: see `presque-host --help`.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    if presque_host::run(&presque_host::Flags::parse()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}
