//! What the store asks of Redis: the commands in its sources, those that the host tries at its start, and the rule that the
//! documents tell people to give. All other tests of the store run as a user with that rule.

use crate::support::{Redis, rule};
use redis::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a command's name stands in the sources.
const IN_SCRIPTS: [&str; 2] = ["redis.call(", "redis.pcall("];
const IN_RUST: [&str; 5] = [".command(", ".ask(", ".blocking(", ".execute(", ".send(redis, "];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The names that follow one of these in a text.
fn names(text: &str, calls: &[&str], quote: char) -> Vec<String> {
    let name = |rest: &str| Some(rest.trim_start().strip_prefix(quote)?.split(quote).next()?.to_owned());
    let after = |call: &&str| text.split(*call).skip(1).filter_map(name).collect::<Vec<_>>();
    calls.iter().flat_map(after).collect()
}

/// The commands that the sources with this extension have behind these words, in lower case.
fn used_in(extension: &str, calls: &[&str], quote: char) -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    files.retain(|file| file.extension().is_some_and(|end| end == extension));
    let names = files
        .iter()
        .flat_map(|file| names(&fs::read_to_string(file).unwrap(), calls, quote));
    names.map(|name| name.to_ascii_lowercase()).collect()
}

/// The commands that scripts call and that the library sends, in lower case. Without the one whose answer is not needed.
fn used() -> BTreeSet<String> {
    let mut used = &used_in("lua", &IN_SCRIPTS, '\'') | &used_in("rs", &IN_RUST, '"');
    assert!(used.remove("config"), "health asks for what Redis writes");
    assert!(used.remove("cluster"), "the map of slots is asked for");
    used
}

/// The commands that the host tries, word by word.
fn tried() -> Vec<Vec<String>> {
    let text = include_str!("../../src/store/commands.toml");
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix('['));
    lines
        .map(|line| {
            let quoted = line.split('"').enumerate();
            quoted
                .filter(|(at, _)| at % 2 == 1)
                .map(|(_, word)| word.to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn the_documented_rule_is_what_the_sources_use_and_what_the_host_tries() {
    let used = used();
    assert!(
        used.len() > 30 && used.contains("zadd") && used.contains("blpop"),
        "{used:?}"
    );
    let tried: BTreeSet<String> = tried().iter().map(|words| words[0].to_ascii_lowercase()).collect();
    assert_eq!(tried, used, "src/store/commands.toml beside the sources");
    let rule: BTreeSet<String> = rule()
        .iter()
        .filter_map(|word| word.strip_prefix('+'))
        .map(str::to_owned)
        .collect();
    assert_eq!(rule, used, "docs/operations.md beside the sources");
}

#[test]
fn health_tries_each_command_that_scripts_use() {
    let probed = names(include_str!("../../src/store/queues/probe.lua"), &["{"], '\'');
    let probed: BTreeSet<String> = probed.iter().map(|name| name.to_ascii_lowercase()).collect();
    assert_eq!(probed, used_in("lua", &IN_SCRIPTS, '\''));
}

#[tokio::test]
async fn what_the_host_tries_at_its_start_does_no_harm_and_is_gone_soon() {
    let redis = Redis::start();
    for words in tried() {
        let mut connection = redis.connection().await;
        let mut command = redis::cmd(&words[0]);
        let tried: Result<Value, _> = command.arg(&words[1..]).query_async(&mut connection).await;
        match (words[0].as_str(), tried) {
            ("EVALSHA", Err(error)) => assert_eq!(error.code(), Some("NOSCRIPT")),
            (_, tried) => drop(tried.unwrap_or_else(|error| panic!("{words:?}: {error}"))),
        }
    }
    let keys: Vec<String> = redis.query(&["KEYS", "*"]).await;
    for key in keys {
        let expires_in: i64 = redis.query(&["PTTL", &key]).await;
        // -2 is that of a key that is gone.
        assert!(
            (-2..=1000).contains(&expires_in) && expires_in != -1,
            "{key}: {expires_in}"
        );
    }
}

#[tokio::test]
async fn a_user_with_the_documented_rule_has_no_other_keys_or_commands() {
    let redis = Redis::start();
    redis.query::<()>(&rule()).await;
    let dry_run = async |command: &[&str]| {
        let words: Vec<&str> = ["ACL", "DRYRUN", "presque"].iter().chain(command).copied().collect();
        redis.query::<String>(&words).await
    };
    assert_eq!(dry_run(&["SET", "presque:{q}:meta", ""]).await, "OK");
    for command in [
        &["SET", "other", ""][..],
        &["FLUSHALL"],
        &["KEYS", "*"],
        &["CONFIG", "GET", "save"],
    ] {
        assert!(dry_run(command).await.contains("no permissions"), "{command:?}");
    }
}
