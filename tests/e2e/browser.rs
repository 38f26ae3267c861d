//! Pages in a real browser. The cases are in `tests/page/`, for Node.js and Playwright: each file is a test here, and shows its
//! cases. One case alone: `node --test --test-name-pattern 'dead jobs' tests/page/dead.test.mjs`.

use super::gate::calls::{call, is_restmq_alone};
use crate::support::{command_path, target_dir};
use presque::gate::Operation;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

macro_rules! files {
    ($($test:ident: $file:literal,)*) => {
        const FILES: &[&str] = &[$($file),*];

        $(#[test]
        fn $test() {
            run($file);
        })*
    };
}

files! {
    a_page_of_another_site_can_do_nothing_unless_its_site_is_allowed: "sites.test.mjs",
    a_page_with_a_key_offers_what_the_key_is_for: "keys.test.mjs",
    browsers_read_what_was_not_made_for_them: "events.test.mjs",
    dead_jobs_are_shown_by_what_they_died_of: "dead.test.mjs",
    every_view_is_usable_for_everybody: "looks.test.mjs",
    jobs_are_found_and_changed_many_at_a_time: "search.test.mjs",
    jobs_are_shown_and_acted_on: "job.test.mjs",
    queues_are_shown_and_acted_on: "queues.test.mjs",
    settings_are_changed: "settings.test.mjs",
    the_page_needs_no_mouse: "keyboard.test.mjs",
    the_page_says_when_it_is_out_of_touch: "touch.test.mjs",
    the_page_stays_smooth_with_very_many_queues_and_jobs: "many.test.mjs",
    the_page_tells_why_a_queue_does_not_move: "moving.test.mjs",
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page")
}

fn run(file: &str) {
    let packages = target_dir().join("page-tests/node_modules");
    assert!(
        packages.is_dir(),
        "{} is not there: run `cargo xtask test`",
        packages.display()
    );
    let mut command = Command::new("node");
    command
        .args(["--test", "--test-reporter", "spec"])
        .arg(folder().join(file));
    command.env("PRESQUE_HOST", command_path());
    command.env("PRESQUE_CALLS", calls().to_string());
    let output = command.output().expect("node starts");
    // Each case is told of, also where all is well: past the test's own output, which is shown only when it fails. What counts
    // the cases is left out.
    let told = String::from_utf8_lossy(&output.stdout);
    let told = told.lines().filter(|line| !line.starts_with('ℹ') || line.contains(':'));
    let told: String = told.map(|line| format!("{line}\n")).collect();
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(told.as_bytes()).and(stderr.write_all(&output.stderr));
    drop(stderr);
    assert!(output.status.success(), "{file}: {}", output.status);
}

/// A request of each kind that there is, for what tries them all.
fn calls() -> Value {
    let calls = Operation::ALL.iter().filter(|operation| !is_restmq_alone(**operation));
    let calls = calls.map(|operation| {
        let call = call(*operation, "mine");
        json!({"method": call.method, "target": call.target, "body": call.body})
    });
    calls.collect()
}

#[test]
fn no_file_of_cases_is_left_out() {
    let names = std::fs::read_dir(folder()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<_> = names.filter(|name| name.ends_with(".test.mjs")).collect();
    let run: BTreeSet<_> = FILES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, run);
}
