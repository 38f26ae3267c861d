//! Running the command.

use presque_testkit::Host;
use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The command, which knows where the server is, and nothing of this machine's settings.
pub(crate) fn presque(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presque"));
    command
        .env_remove("PRESQUE_KEY")
        .env("PRESQUE_URL", url)
        .env("NO_COLOR", "1");
    command
}

/// Fails if the command does not take these words.
pub(crate) fn is_understood(words: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_presque"))
        .args(words)
        .arg("--help")
        .output()
        .expect("the command");
    assert!(
        output.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
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

/// Runs the command with this on its standard input.
pub(crate) async fn fed(url: &str, args: &[impl AsRef<OsStr>], input: impl Into<Vec<u8>>) -> Output {
    let (mut command, input) = (presque(url), input.into());
    command.args(args).stdin(Stdio::piped());
    let run = move || {
        let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().expect("the command starts");
        let mut stdin = child.stdin.take().expect("its input is piped");
        // One that refuses its input need not read it.
        let _ = stdin.write_all(&input);
        drop(stdin);
        child.wait_with_output().expect("the command runs")
    };
    tokio::task::spawn_blocking(run).await.expect("it was waited for")
}

/// What a command says on standard error.
pub(crate) fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A `GET` of this path, which must succeed, as JSON.
pub(crate) async fn get(host: &Host, path: &str) -> serde_json::Value {
    let answer = host.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    serde_json::from_str(answer.text()).expect("JSON")
}

/// A `POST` of JSON to this path, which must succeed. Its answer, `null` if it has none.
pub(crate) async fn post(host: &Host, path: &str, body: impl ToString) -> serde_json::Value {
    let answer = host.client().post(path, body.to_string()).await;
    assert!(answer.status.is_success(), "{path}: {answer:?}");
    serde_json::from_str(answer.text()).unwrap_or_default()
}
