//! Every command line of a document is run by a test, or stands here with the reason why none runs it.

use super::{CLIENTS, RUN, RUN_WITH_THE_COMMAND, read};
use crate::support::{command_path, documents};
use std::collections::BTreeSet;
use std::process::Command;

/// How command lines begin that are not run as they stand, and why.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "cargo xtask ",
        "builds everything, which takes minutes; .ci/run and the other tests do what it does",
    ),
    ("cargo test ", "is what runs this test"),
    ("cargo build ", "cargo xtask test builds it"),
    ("spin ", "needs Spin"),
    ("REDIS_URL=rediss://", "needs a Redis of one's own with TLS"),
    (
        "REDISCLI_AUTH=$(cat ~/.local/share/presque/state/redis/redis.password) redis-cli -p 40251 --rdb",
        BACKUP,
    ),
    ("sh ~/.local/share/presque/restore.sh", BACKUP),
    (
        "REDISCLI_AUTH=$(cat ~/.local/share/presque/state/redis/redis.password) redis-cli -p 40251",
        "is for a person, who types commands there",
    ),
    ("sh benches/bytes-per-job.sh", "measures, which takes a minute"),
    ("sh examples/v1/worker.sh", WORKER),
    ("python3 examples/v1/worker.py", WORKER),
    ("node examples/v1/worker.mjs", WORKER),
    ("go run examples/v1/worker.go", WORKER),
    ("ruby examples/v1/worker.rb", WORKER),
    ("php examples/v1/worker.php", WORKER),
    ("presque up", UP),
    (
        "presque tail ",
        "goes on until it is stopped; the tests of the command follow it",
    ),
    (
        "presque top",
        "is for a terminal; the tests of the command look at it in one",
    ),
    ("presque bench ", "measures; the tests of the command run a short one"),
    ("presque queues", PACKAGE),
    ("presque health", PACKAGE),
    ("presque --help", PACKAGE),
    (
        "presque push letters '{",
        "the quick start is run by a test, and does the same",
    ),
    ("presque work letters --verbose -- ", "goes on until it is stopped"),
    (
        "PRESQUE_KEY=$(jq -r .key key.json) presque",
        "needs a key; the tests of keys use them",
    ),
    ("tar -xzf presque-", PACKAGE),
    ("sha256sum --check presque-", PACKAGE),
    ("cd presque-", PACKAGE),
    ("./install.sh", PACKAGE),
    (
        "source <(presque completions",
        "sets up the bash in which a person types",
    ),
    ("sudo ", ROOT),
    ("systemctl ", ROOT),
    ("journalctl ", "needs systemd"),
    ("docker ", CONTAINER),
    ("export PRESQUE_", CONTAINER),
    ("printf '%s\\n' 'FROM ", CONTAINER),
    ("deploy/spin/up.sh ", "needs Spin"),
    (
        "kubectl ",
        "needs a cluster; its files are held against their definitions",
    ),
    (
        "curl -s -H \"Authorization: Bearer $key\" https://presque.example.com/",
        "needs a cluster",
    ),
    (
        "curl -sw '%{http_code}\\n' -H \"Authorization: Bearer $key\" -d '{\"wait\":60}' https://",
        "needs a function platform",
    ),
];

const UP: &str = "goes on until it is stopped; the tests of the command and of the package start it";

const PACKAGE: &str = "the test of the package does what it says, in a folder of its own";

const CONTAINER: &str = "needs a container engine";

const ROOT: &str = "changes the machine";

const WORKER: &str = "runs until it is stopped: the tests of the examples run it";

const BACKUP: &str = "docs::backup runs it, with other names";

/// What command lines begin with, in blocks that do not say what they are.
const PROGRAMS: &[&str] = &[
    "apt-get",
    "cargo",
    "cd",
    "curl",
    "docker",
    "export",
    "git",
    "go",
    "helm",
    "journalctl",
    "jq",
    "kubectl",
    "nginx",
    "node",
    "npm",
    "npx",
    "openssl",
    "php",
    "podman",
    "presque",
    "presque-host",
    "printf",
    "python3",
    "redis-cli",
    "redis-server",
    "ruby",
    "sh",
    "sha256sum",
    "source",
    "spin",
    "sudo",
    "systemctl",
    "tar",
    "valkey-cli",
    "valkey-server",
];

/// A command line of a document.
#[derive(Debug)]
struct Line {
    number: usize,
    text: String,
    /// Whether it begins with a dollar sign, as those that are run.
    has_dollar: bool,
}

/// Whether a line in a block is a command: it begins with a program or its path, maybe with variables before it.
fn is_command(line: &str) -> bool {
    let is_variable = |word: &str| word.split_once('=').is_some_and(|(name, _)| is_name(name));
    let mut words = line.split_whitespace().skip_while(|word| is_variable(word));
    line.split_whitespace().next().is_some_and(is_variable) || words.next().is_some_and(is_program)
}

fn is_program(word: &str) -> bool {
    let is_of_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
    // The first line of an answer looks like a path.
    let is_path = word.contains('/') && !word.starts_with("HTTP/") && word.bytes().all(is_of_path);
    PROGRAMS.contains(&word) || is_path
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

fn command_lines(document: &str) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    // The language of the block in a fence.
    let mut fence: Option<String> = None;
    let mut goes_on = false;
    for (index, line) in read(document).lines().enumerate() {
        let trimmed = line.trim_start();
        if let Some(info) = trimmed.strip_prefix("```") {
            fence = fence.is_none().then(|| info.to_owned());
            continue;
        }
        let text = trimmed.strip_prefix("$ ").unwrap_or(trimmed);
        let is_shown = match fence.as_deref() {
            // With more behind it, it is a file.
            Some("sh" | "bash" | "console") => !text.is_empty() && !text.starts_with('#'),
            Some(_) => false,
            None => line.starts_with("    ") && (trimmed.starts_with("$ ") || is_command(text)),
        };
        if is_shown && !goes_on {
            let (number, has_dollar) = (index + 1, line.starts_with("    $ "));
            found.push(Line {
                number,
                text: text.to_owned(),
                has_dollar,
            });
        }
        goes_on = (is_shown || goes_on) && line.ends_with('\\');
    }
    found
}

#[test]
fn every_command_line_of_a_document_is_run_or_it_is_said_why_not() {
    let mut unused: Vec<&str> = NOT_RUN.iter().map(|(begin, _)| *begin).collect();
    let mut missing = Vec::new();
    for document in documents() {
        // The last one is run behind an nginx: `deploy::nginx`.
        let is_run = RUN
            .iter()
            .chain(&RUN_WITH_THE_COMMAND)
            .chain(&["docs/deploy.md"])
            .any(|run| *run == document)
            || CLIENTS.iter().any(|(client, _)| *client == document);
        for Line {
            number,
            text,
            has_dollar,
        } in command_lines(&document)
        {
            if is_run && has_dollar {
                continue;
            }
            match NOT_RUN.iter().find(|(begin, _)| text.starts_with(begin)) {
                Some((begin, _)) => unused.retain(|one| one != begin),
                None => missing.push(format!("{document}:{number}: {text}")),
            }
        }
    }
    assert!(
        missing.is_empty(),
        "neither run nor in NOT_RUN:\n{}",
        missing.join("\n")
    );
    assert!(unused.is_empty(), "no document has these: {unused:?}");
}

#[test]
fn every_flag_of_the_server_that_a_document_shows_is_one_of_its_flags() {
    let help = Command::new(command_path()).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let flags: BTreeSet<&str> = help.split_whitespace().filter(|word| word.starts_with("--")).collect();
    let mut seen = 0;
    for document in documents() {
        for Line { number, text, .. } in command_lines(&document) {
            let Some((_, args)) = text.split_once("cargo xtask up") else {
                continue;
            };
            let args = args.split('#').next().unwrap_or_default().split_whitespace();
            for flag in args.filter(|word| word.starts_with("--")) {
                assert!(flags.contains(flag), "{document}:{number}: {flag}");
                seen += 1;
            }
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_command_line_is_known_by_its_dollar_sign_its_program_or_its_block() {
    for (line, is_one) in [
        ("cargo xtask up", true),
        ("REDIS_URL=redis://10.0.0.1 cargo xtask up", true),
        ("PRESQUE_KEY=x", true),
        ("./install.sh", true),
        ("deploy/spin/up.sh 3101 &", true),
        ("sha256sum --check x.sha256", true),
        ("HTTP/1.1 200 OK", false),
        ("https://presque.example.com/v1", false),
        ("{\"id\":\"ID\"}", false),
        ("mailer sha256:<64 digits> scopes=insert", false),
        ("", false),
    ] {
        assert_eq!(is_command(line), is_one, "{line}");
    }
}
