//! What the documents show is what happens: their command lines are run.

mod backup;
mod files;
mod lines;

use super::examples;
use crate::support::{Cluster, Host, HostOptions, Redis, host_on_cluster, run_document, url_of_user};
use std::os::unix::fs::symlink;
use std::path::Path;

/// A test for each document whose command lines are run: with the components of a manifest, from its first line to its last.
macro_rules! documents {
    ($($test:ident: $document:literal on $manifest:literal),+ $(,)?) => {
        const RUN: &[&str] = &[$($document),+];

        $(
            #[tokio::test]
            async fn $test() {
                let redis = Redis::start();
                run_on(&host(&redis, $manifest).await, $document);
            }
        )+
    };
}

documents!(
    the_readme_shows_what_happens: "README.md" on "spin.toml",
    the_presque_dialect_is_as_its_document_shows: "docs/presque.md" on "spin.toml",
    the_api_is_as_its_document_shows: "docs/api.md" on "spin.toml",
    the_restmq_dialect_is_as_its_document_shows: "docs/restmq.md" on "restmq.toml",
    a_component_of_ones_own_is_as_its_document_shows: "docs/extending.md" on "examples/component/spin.toml",
    keys_are_made_as_the_document_shows: "docs/security.md" on "spin.toml",
    partitions_are_set_as_the_document_shows: "docs/scaling.md" on "spin.toml",
);

/// What the tests of the command run: `cli/tests/documents/`.
const RUN_WITH_THE_COMMAND: [&str; 2] = ["docs/command.md", "docs/quickstart.md"];

/// The pages for producers and workers, and the program that each needs.
const CLIENTS: [(&str, &str); 7] = [
    ("docs/clients/README.md", "curl"),
    ("docs/clients/curl.md", "curl"),
    ("docs/clients/python.md", "python3"),
    ("docs/clients/javascript.md", "node"),
    ("docs/clients/go.md", "go"),
    ("docs/clients/ruby.md", "ruby"),
    ("docs/clients/php.md", "php"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a document.
fn read(document: &str) -> String {
    std::fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

async fn host(redis: &Redis, manifest: &'static str) -> Host {
    Host::start(HostOptions {
        // The user of `docs/operations.md`, who may do no more than the rule there says.
        redis_url: Some(url_of_user(redis).await),
        manifest: Some(manifest),
        ..HostOptions::default()
    })
}

/// Runs a document's command lines in an empty folder.
fn run_on(host: &Host, document: &str) {
    run_at(&host.base, "http://127.0.0.1:3000", document);
}

/// The same of what serves at `base`, which the document calls by another name.
pub(super) fn run_at(base: &str, name: &str, document: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    symlink(root().join("examples"), folder.path().join("examples")).expect("a link");
    run_document(&read(document), folder.path(), name, base, |shell| {
        shell.env("GOCACHE", examples::go_cache());
    });
}

#[tokio::test]
async fn the_pages_for_clients_show_what_happens() {
    let redis = Redis::start();
    let host = host(&redis, "spin.toml").await;
    for (document, program) in CLIENTS {
        let is_there = match program {
            // Compiles what all its programs need, which may take longer than a line of a document.
            "go" => examples::go("producer").is_some(),
            _ => examples::is_there(program),
        };
        if is_there {
            run_on(&host, document);
        }
    }
}

#[tokio::test]
async fn on_a_cluster_the_same_happens_as_the_documents_show() {
    for document in ["README.md", "docs/presque.md", "docs/api.md"] {
        // Each begins with an empty store.
        let cluster = Cluster::start().await;
        run_on(&host_on_cluster(&cluster, HostOptions::default()).await, document);
    }
}
