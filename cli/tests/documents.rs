//! The documents that use the command show what happens.

use presque_testkit::{Host, Redis, run_document};
use std::path::Path;

/// Runs a document's command lines, with the command in the PATH and a fresh server where the command looks for one.
async fn run(document: &str) {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(document)).expect("a document");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let programs = Path::new(env!("CARGO_BIN_EXE_presque")).parent().expect("a folder");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").expect("a PATH"));
    let base = host.base.clone();
    let run = move || {
        run_document(&text, folder.path(), "http://127.0.0.1:3000", &base, |shell| {
            shell
                .env("PATH", &path)
                .env("PRESQUE_URL", &base)
                .env_remove("PRESQUE_KEY");
        });
    };
    tokio::task::spawn_blocking(run)
        .await
        .expect("the document's lines are run");
}

#[tokio::test]
async fn each_command_does_what_its_document_shows() {
    run("docs/command.md").await;
}

#[tokio::test]
async fn the_quick_start_shows_what_happens() {
    run("docs/quickstart.md").await;
}
