//! The calls of cargo.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::run;
use crate::workspace;

/// What components are built for.
pub(crate) const WASM: &str = "wasm32-wasip2";

/// What the names of the tests of `tests/soak/` begin with; and of those on a cluster.
const SOAK: &str = "soak::every_job_is_accounted_for";
const CLUSTER_SOAK: [&str; 2] = [
    "soak::every_job_is_accounted_for_on_a_cluster",
    "soak::what_a_cluster_loses",
];

/// The cargo that runs us.
pub(crate) fn program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

/// A call of the compiler, in the workspace's root.
pub(crate) fn rustc() -> Command {
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc")));
    command.current_dir(workspace::root());
    command
}

/// A call of the cargo that runs us, in the workspace's root.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(program());
    command.arg(subcommand).current_dir(workspace::root());
    // spin.toml and the tests name files under `target/`.
    command
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET_DIR");
    // What the cargo that runs us says of this package. Some packages are built anew when it changes, so a build by hand and
    // one by us would each undo the other's.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") {
            command.env_remove(name);
        }
    }
    command
}

/// The same, with the versions of Cargo.lock or an error: never with others that nobody has tried.
fn locked(subcommand: &str) -> Command {
    let mut command = cargo(subcommand);
    command.arg("--locked");
    command
}

/// Builds all components, and `more` packages, in one call.
pub(crate) fn build_components(more: &[&str]) -> Result<()> {
    build_components_in(workspace::root(), more)
}

/// The same, of the sources in this folder.
///
/// The files tell nothing of the folders in which they were built, so they are the same for everybody: what they say of a
/// place in the sources, for messages of panics, begins with other names.
pub(crate) fn build_components_in(root: &Path, more: &[&str]) -> Result<()> {
    let mut command = locked("build");
    command.current_dir(root);
    let registry = env::var_os("CARGO_HOME").map(PathBuf::from);
    let registry = registry.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let places = [(registry, "/cargo"), (Some(root.to_owned()), "/presque")];
    let flags: Vec<String> = places
        .iter()
        .filter_map(|(folder, name)| Some(format!("--remap-path-prefix={}={name}", folder.as_ref()?.to_str()?)))
        .collect();
    // Those of the environment would be passed over without a word.
    command.env_remove("RUSTFLAGS");
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    command.args(["--release", "--target", WASM]);
    packages(&mut command, &workspace::components()?);
    packages(&mut command, more);
    run(&mut command)
}

/// Builds the command.
pub(crate) fn build_command(profile: &str) -> Result<()> {
    run(locked("build").args(["--profile", profile, "-p", "presque-cli"]))
}

/// Builds the local host.
pub(crate) fn build_host(profile: &str) -> Result<()> {
    run(locked("build").args(["--profile", profile, "-p", "presque-host"]))
}

/// How the library in the benchmark's native server is built.
pub(crate) enum Optimized {
    /// With `opt-level=3`: it is measured.
    Fully,
    /// As the profile says.
    ByProfile,
}

/// Builds the benchmark and its native server. Not in one call with the host: their features would become its own.
pub(crate) fn build_benchmark(profile: &str, optimized: Optimized) -> Result<()> {
    let mut command = locked("build");
    command.args(["--profile", profile]);
    if let Optimized::Fully = optimized {
        command.args(["--config", &format!("profile.{profile}.package.presque.opt-level=3")]);
    }
    packages(&mut command, &["presque-bench", "presque-bench-native"]);
    run(&mut command)
}

/// Builds the tests that `test` runs.
pub(crate) fn build_tests(args: &[OsString]) -> Result<()> {
    run(locked("test").args(["--profile", "native", "--no-run"]).args(args))
}

/// Runs the native tests, on this server where one is given, else on the one of the PATH.
pub(crate) fn test(server: Option<&Path>, args: &[OsString]) -> Result<()> {
    let mut command = locked("test");
    command.args(["--profile", "native"]).args(args);
    if let Some(server) = server {
        command.env("PRESQUE_REDIS_SERVER", server);
    }
    run(&mut command)
}

/// Runs the tests that break things for so long: all together, or those of a cluster, one after the other. They show their
/// tables themselves.
pub(crate) fn soak(seconds: u64, seed: Option<u64>, on_cluster: bool) -> Result<()> {
    let mut command = locked("test");
    command.args(["--profile", "native", "--test", "main", "--", "--nocapture"]);
    if on_cluster {
        // Each has six servers, which would take the processor from each other.
        command.args(["--include-ignored", "--test-threads", "1"]);
        command.args(CLUSTER_SOAK);
    } else {
        command.arg(SOAK);
    }
    command.env("PRESQUE_SOAK_SECONDS", seconds.to_string());
    if let Some(seed) = seed {
        command.env("PRESQUE_SOAK_SEED", seed.to_string());
    }
    run(&mut command)
}

/// Checks everything that a commit must pass, besides its tests. What is native is all of the workspace's default
/// members.
///
/// Profiles: `native` as for the tests and `release` as for the components, so that build scripts and macros are shared
/// with them. What clippy learns of the dependencies, rustdoc uses again.
pub(crate) fn lint() -> Result<()> {
    run(cargo("fmt").args(["--all", "--check"])).context("the format is not rustfmt's: run `cargo fmt --all`")?;

    run(locked("clippy").args(["--profile", "native", "--all-targets", "--", "-D", "warnings"]))?;
    let mut clippy = locked("clippy");
    library_for_wasm(&mut clippy);
    packages(&mut clippy, &workspace::components()?);
    packages(&mut clippy, workspace::TEST_COMPONENTS);
    run(clippy.args(["--", "-D", "warnings"]))?;

    run(doc().args(["--profile", "native"]))?;
    let mut doc = doc();
    library_for_wasm(&mut doc);
    run(&mut doc)
}

/// A call of rustdoc for our own packages.
fn doc() -> Command {
    let mut command = locked("doc");
    command.arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// Chooses the handler library as components use it.
fn library_for_wasm(command: &mut Command) {
    command.args(["--release", "--target", WASM]);
    command.args(["-p", "presque", "--features", "presque/spin"]);
}

fn packages(command: &mut Command, names: &[impl AsRef<OsStr>]) {
    for name in names {
        command.arg("-p").arg(name);
    }
}
