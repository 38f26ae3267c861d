//! Running the command.

use presque_testkit::Host;
use std::ffi::OsStr;
use std::process::{Command, Output};

/// The command, which knows where the server is, and nothing of this machine's settings.
pub(crate) fn presque(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presque"));
    command
        .env_remove("PRESQUE_KEY")
        .env("PRESQUE_URL", url)
        .env("NO_COLOR", "1");
    command
}

/// Runs the command to its end.
pub(crate) async fn run(host: &Host, args: &[impl AsRef<OsStr>]) -> Output {
    run_at(&host.base, args).await
}

/// As [`run`], with the server's address. Off the runtime's threads, so that a test can serve it meanwhile.
pub(crate) async fn run_at(url: &str, args: &[impl AsRef<OsStr>]) -> Output {
    let mut command = presque(url);
    command.args(args);
    tokio::task::spawn_blocking(move || command.output().expect("the command runs"))
        .await
        .expect("it was waited for")
}

/// What a run that must succeed prints.
pub(crate) async fn printed(host: &Host, args: &[impl AsRef<OsStr>]) -> String {
    let output = run(host, args).await;
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {error}", output.status);
    String::from_utf8(output.stdout).expect("text")
}
