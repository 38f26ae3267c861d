//! What must hold of the store at any time, whatever was done to it.

use super::Redis;
use redis::FromRedisValue;
use std::collections::{BTreeMap, BTreeSet};

/// What a queue's keys may end in.
const KINDS: [&str; 6] = ["meta", "ready", "scheduled", "unique", "workers", "worker-failures"];

/// Fails unless the store is sound:
///
/// - no key is there that presque does not know;
/// - every waiting or scheduled job reads as one, and each member of the schedule has its own number;
/// - the unique keys that are held are just those that a living job carries, each carried by one;
/// - no count is negative, and none is there that is not a number;
/// - a queue is marked as listed only when the list has it, and a queue with jobs is marked;
/// - a worker that is registered on a queue is in the list of workers.
pub async fn assert_sound(redis: &Redis) {
    let mut queues: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for key in get::<Vec<String>>(redis, &["KEYS", "*"]).await {
        if let Some(tagged) = key.strip_prefix("presque:{") {
            let (tag, kind) = tagged.rsplit_once("}:").expect(&key);
            assert!(KINDS.contains(&kind), "an unknown key: {key}");
            queues.entry(tag.to_owned()).or_default().insert(kind.to_owned());
        } else {
            let known = ["presque:queues", "presque:workers"].contains(&&*key) || key.starts_with("presque:worker:");
            assert!(known, "an unknown key: {key}");
        }
    }
    for tag in queues.keys() {
        assert_queue_sound(redis, tag).await;
    }
}

async fn assert_queue_sound(redis: &Redis, tag: &str) {
    let key = |kind: &str| format!("presque:{{{tag}}}:{kind}");
    let waiting: Vec<Vec<u8>> = get(redis, &["LRANGE", &key("ready"), "0", "-1"]).await;
    let scheduled: Vec<Vec<u8>> = get(redis, &["ZRANGE", &key("scheduled"), "0", "-1"]).await;
    let numbers: BTreeSet<_> = scheduled.iter().map(|member| member[..14].to_vec()).collect();
    assert_eq!(
        numbers.len(),
        scheduled.len(),
        "{tag}: two scheduled jobs with one number"
    );

    let entries = waiting
        .iter()
        .map(|entry| &entry[..])
        .chain(scheduled.iter().map(|member| &member[14..]));
    let mut carried: Vec<Vec<u8>> = entries.filter_map(unique_key).collect();
    let mut held: Vec<Vec<u8>> = get(redis, &["HKEYS", &key("unique")]).await;
    carried.sort();
    held.sort();
    assert_eq!(carried, held, "{tag}: unique keys carried and held");

    let meta: BTreeMap<String, String> = get(redis, &["HGETALL", &key("meta")]).await;
    for (field, value) in &meta {
        assert!(value.parse::<u64>().is_ok(), "{tag}: {field} is {value}");
    }
    let name = tag.replace("%7B", "{").replace("%7D", "}").replace("%25", "%");
    let listed: Option<f64> = get(redis, &["ZSCORE", "presque:queues", &name]).await;
    let generation = meta.get("generation").map_or("0", String::as_str);
    let marked = meta.get("listed").is_some_and(|listed| listed == generation);
    assert!(listed.is_some() || !marked, "{tag}: marked and not in the list");
    assert!(
        marked || waiting.len() + scheduled.len() == 0,
        "{tag}: has jobs and is not marked as listed"
    );

    for kind in ["workers", "worker-failures"] {
        let counts: BTreeMap<Vec<u8>, i64> = get(redis, &["HGETALL", &key(kind)]).await;
        for (worker, count) in counts {
            assert!(count >= 0, "{tag}: {worker:?} has {count}");
            let mut command = redis::cmd("ZSCORE");
            let listed: Option<f64> = run(redis, command.arg("presque:workers").arg(&worker)).await;
            assert!(listed.is_some(), "{tag}: the worker {worker:?} is not in the list");
        }
    }
}

/// The unique key in an entry: its length, a colon, the key, the payload.
fn unique_key(entry: &[u8]) -> Option<Vec<u8>> {
    let colon = entry
        .iter()
        .position(|&byte| byte == b':')
        .expect("an entry has a colon");
    let length = std::str::from_utf8(&entry[..colon]).expect("a length is text");
    (!length.is_empty()).then(|| entry[colon + 1..][..length.parse().expect("a length")].to_vec())
}

async fn get<T: FromRedisValue>(redis: &Redis, words: &[&str]) -> T {
    run(redis, redis::cmd(words[0]).arg(&words[1..])).await
}

async fn run<T: FromRedisValue>(redis: &Redis, command: &redis::Cmd) -> T {
    command
        .query_async(&mut redis.connection().await)
        .await
        .expect("an answer")
}
