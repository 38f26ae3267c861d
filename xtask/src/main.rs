//! What a person types: set up, build, serve, test, measure, lint.

mod apt;
#[path = "../../benches/load/src/flags.rs"]
mod bench_flags;
mod cargo;
mod contract;
mod dist;
mod needs;
mod offline;
mod page_tests;
mod process;
mod python;
mod reference;
mod valkey;
mod wasm_target;
mod workspace;

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use cargo::Optimized;
use needs::{
    CHROMIUM, CURL, JQ, NGINX, NODE, NPM, OPENMETRICS_PARSER, PERL, PHP, PROMETHEUS, PYTHON, PYTHON_ENVIRONMENTS,
    REDIS, RUBY, WASM_TARGET, ensure,
};
use workspace::{BENCH_COMPONENT, DIST, NATIVE, TEST_COMPONENTS};

/// Sets up, builds, serves, tests, measures and checks presque.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make this machine ready: the Wasm target of Rust, and a Redis.
    Setup,
    /// Build all components.
    Build,
    /// Build everything and serve spin.toml with the local host. `--help` shows the host's options.
    #[command(disable_help_flag = true)]
    Up {
        /// Passed on to `presque-host`, such as `--listen 127.0.0.1:4000`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Build everything and run all tests.
    Test {
        /// Run them on Valkey, which is installed below target/, instead of Redis.
        #[arg(long)]
        valkey: bool,
        /// Passed on to `cargo test`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Build everything and account for every job while hosts, workers and Redis are killed and connections are cut.
    Soak {
        /// For how many seconds faults are caused.
        #[arg(long, default_value_t = 120)]
        seconds: u64,
        /// The seed that an earlier run printed: makes the same random choices.
        #[arg(long)]
        seed: Option<u64>,
        /// On a cluster alone, with and without `redis_wait_replicas`: slots move, primaries end and are paused.
        #[arg(long)]
        cluster: bool,
    },
    /// Build everything, and let schemathesis compare the answers of `/v1` with docs/openapi.yaml, without keys and with one.
    Contract(contract::Flags),
    /// Make the reference of `/v1` from docs/openapi.yaml: target/docs/api.html, a page that needs nothing from elsewhere.
    Docs,
    /// Build the package of this machine: target/dist/presque-VERSION-TARGET.tar.gz. The same sources give the same components.
    Dist(dist::Flags),
    /// Build the fastest host there is, and measure presque beside others on this machine, with one Redis. It uses the
    /// loopback only, and ends by itself.
    Bench(bench_flags::Flags),
    /// Check format, clippy and rustdoc, natively and for Wasm. A warning is an error.
    Lint,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Setup => ensure(&[WASM_TARGET, REDIS]),
        Command::Build => {
            ensure(&[WASM_TARGET])?;
            cargo::build_components(&[])
        }
        Command::Up { args } => {
            ensure(&[WASM_TARGET, REDIS])?;
            cargo::build_components(&[])?;
            cargo::build_host(NATIVE)?;
            Err(process::become_program(
                &workspace::program(NATIVE, "presque-host"),
                &args,
            ))
        }
        Command::Test { valkey, args } => {
            ensure(&[WASM_TARGET, REDIS, CURL, JQ, PERL, PYTHON, NODE, NPM, CHROMIUM])?;
            ensure(&[RUBY, PHP, OPENMETRICS_PARSER, PROMETHEUS, NGINX])?;
            page_tests::install()?;
            if !valkey {
                return test(None, &args);
            }
            ensure(&[PYTHON_ENVIRONMENTS])?;
            test(Some(&valkey::program()?), &valkey::test_args(&args))
        }
        Command::Soak { seconds, seed, cluster } => {
            ensure(&[WASM_TARGET, REDIS])?;
            cargo::build_components(&[])?;
            cargo::build_host(NATIVE)?;
            cargo::soak(seconds, seed, cluster)
        }
        Command::Contract(flags) => {
            ensure(&[WASM_TARGET, REDIS, PYTHON, PYTHON_ENVIRONMENTS])?;
            cargo::build_components(&[])?;
            cargo::build_host(NATIVE)?;
            contract::judge(&flags)
        }
        Command::Docs => {
            println!("{}", reference::write()?.display());
            Ok(())
        }
        Command::Dist(flags) => {
            ensure(&[WASM_TARGET])?;
            dist::dist(&flags)
        }
        Command::Bench(flags) => {
            ensure(&[WASM_TARGET, REDIS])?;
            bench(flags.native)
        }
        Command::Lint => {
            ensure(&[WASM_TARGET])?;
            cargo::lint()
        }
    }
}

fn bench(native: bool) -> Result<()> {
    let profile = if native { NATIVE } else { DIST };
    if profile == DIST && !workspace::program(DIST, "presque-host").exists() {
        eprintln!(
            "==> The first build of the fastest host takes many minutes; --native measures the one that is built quickly"
        );
    }
    cargo::build_components(&[BENCH_COMPONENT])?;
    cargo::build_host(profile)?;
    cargo::build_benchmark(profile, Optimized::Fully)?;
    // Where the user stands: files that they name are there. The words after `bench` are the ones that were read here.
    let program = workspace::program(profile, "presque-bench");
    let error = std::process::Command::new(&program).args(env::args_os().skip(2)).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}

fn test(server: Option<&Path>, args: &[OsString]) -> Result<()> {
    let start = Instant::now();
    cargo::build_components(TEST_COMPONENTS)?;
    cargo::build_host(NATIVE)?;
    cargo::build_benchmark(NATIVE, Optimized::ByProfile)?;
    cargo::build_tests(args)?;
    let builds = start.elapsed();
    let result = cargo::test(server, args);
    let tests = start.elapsed() - builds;
    eprintln!(
        "==> Builds took {:.0} s, tests {:.0} s",
        builds.as_secs_f64(),
        tests.as_secs_f64()
    );
    result
}
