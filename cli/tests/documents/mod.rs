//! The documents that use the command show what happens.

use crate::support::is_understood;
use presque_testkit::{Host, Redis, documents, run_document};
use std::path::Path;

fn read(document: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// Runs a document's command lines, with the command in the PATH and a fresh server where the command looks for one.
async fn run(document: &str) {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let text = read(document);
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

/// The words behind `presque` in a line that is not run, up to what the shell or another program takes.
fn words_of_presque(line: &str) -> Option<Vec<&str>> {
    let is_variable = |word: &&str| word.split_once('=').is_some_and(|(name, _)| !name.contains('-'));
    let mut words = line.split_whitespace().skip_while(is_variable);
    let is_end = |word: &str| word == "--" || word.starts_with(['|', '&', ';', '>', '<', '#']);
    (words.next() == Some("presque")).then(|| {
        let words = words.take_while(|word| !is_end(word));
        words.map(|word| word.trim_matches(['\'', '"'])).collect()
    })
}

#[test]
fn the_command_understands_each_line_of_a_document_that_is_not_run() {
    let mut seen = 0;
    for document in documents() {
        // A backslash joins lines.
        let text = read(&document).replace("\\\n", "");
        // The language of the block in a fence.
        let mut fence = None;
        for line in text.lines() {
            if let Some(info) = line.trim_start().strip_prefix("```") {
                fence = fence.is_none().then_some(info);
            }
            let is_shell = |info| matches!(info, "sh" | "bash" | "console");
            if fence.map_or(line.starts_with("    "), is_shell)
                && let Some(words) = words_of_presque(line)
            {
                is_understood(&words);
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn the_words_of_the_command_end_where_those_of_the_shell_begin() {
    for (line, words) in [
        ("    presque up --lan   # for all", Some(vec!["up", "--lan"])),
        ("PRESQUE_KEY=x presque queues | jq .", Some(vec!["queues"])),
        ("presque work mail -- sh do.sh --once", Some(vec!["work", "mail"])),
        ("cargo xtask up", None),
    ] {
        assert_eq!(words_of_presque(line), words, "{line}");
    }
}
