//! The calls of cargo.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Command;

use anyhow::Result;

use crate::step::{advise, step};
use crate::{process, workspace};

/// What components are built for.
pub(crate) const WASM: &str = "wasm32-wasip2";

/// The test of `tests/soak/`.
const SOAK: &str = "soak::every_job_is_accounted_for_whatever_breaks";

/// A call of the cargo that runs us, in the workspace's root.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.arg(subcommand).current_dir(workspace::root());
    // spin.toml and the tests name files under `target/`.
    command
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET_DIR");
    command
}

/// Builds all components, and `more` packages, in one call.
pub(crate) fn build_components(more: &[&str]) -> Result<()> {
    let components = workspace::components()?;
    step("Components", &format!("cargo build for {WASM}"), || {
        let mut command = cargo("build");
        command.args(["--release", "--target", WASM]);
        packages(&mut command, &components);
        packages(&mut command, more);
        process::run(&mut command)
    })
}

/// Builds the local host.
pub(crate) fn build_host() -> Result<()> {
    step("Host", "cargo build", || {
        process::run(cargo("build").args(["--profile", "native", "-p", "presque-host"]))
    })
}

/// Builds what the tests need: the host's program always, and the tests themselves where `args` do not choose some.
pub(crate) fn build_for_tests(args: &[OsString]) -> Result<()> {
    build_host()?;
    if !args.is_empty() {
        return Ok(());
    }
    step("Tests", "cargo build", || {
        process::run(cargo("build").args(["--profile", "native", "--tests"]))
    })
}

/// Runs the native tests.
pub(crate) fn test(args: &[OsString]) -> Result<()> {
    step("Tests", "cargo test", || {
        process::run(cargo("test").args(["--profile", "native"]).args(args))
    })
}

/// Runs the one test that breaks things, for so long. It shows its table itself.
pub(crate) fn soak(seconds: u64, seed: Option<u64>) -> Result<()> {
    step("Soak", &format!("{seconds} s of faults"), || {
        let mut command = cargo("test");
        command.args(["--profile", "native", "--test", "main", "--"]);
        command.args(["--exact", "--nocapture", SOAK]);
        command.env("PRESQUE_SOAK_SECONDS", seconds.to_string());
        if let Some(seed) = seed {
            command.env("PRESQUE_SOAK_SEED", seed.to_string());
        }
        process::run(&mut command)
    })
}

/// Checks everything that a commit must pass, besides its tests.
///
/// Profiles: `native` as for the tests and `release` as for the components, so that build scripts and macros are shared
/// with them. What clippy learns of the dependencies, rustdoc uses again.
pub(crate) fn lint() -> Result<()> {
    let format = step("Format", "cargo fmt", || {
        process::run(cargo("fmt").args(["--all", "--check"]))
    });
    advise(format, "Run `cargo fmt --all`.")?;
    let components = workspace::components()?;
    let wasm = |mut command: Command| {
        command.args([
            "--release",
            "--target",
            WASM,
            "-p",
            "presque",
            "--features",
            "presque/spin",
        ]);
        command
    };
    step("Clippy", "native", || {
        let mut command = cargo("clippy");
        command.args(["--profile", "native", "--all-targets", "--", "-D", "warnings"]);
        process::run(&mut command)
    })?;
    step("Clippy", WASM, || {
        let mut command = wasm(cargo("clippy"));
        packages(&mut command, &components);
        packages(&mut command, &[workspace::TEST_COMPONENT]);
        process::run(command.args(["--", "-D", "warnings"]))
    })?;
    let doc = || {
        let mut command = cargo("doc");
        command.arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings");
        command
    };
    step("Docs", "native", || process::run(doc().args(["--profile", "native"])))?;
    step("Docs", WASM, || process::run(&mut wasm(doc())))
}

fn packages(command: &mut Command, names: &[impl AsRef<OsStr>]) {
    for name in names {
        command.arg("-p").arg(name);
    }
}
