//! The command: see `presque-host --help`.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match presque_host::serve(&presque_host::Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
