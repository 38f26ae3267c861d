//! What must hold of the store at any time, whatever was done to it.

use super::{Cluster, Redis};
use presque::queue::JobId;
use redis::{FromRedisValue, Value};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

/// Where a job can be.
const STATES: [&str; 6] = ["ready", "scheduled", "active", "done", "dead", "cancelled"];

/// Fails unless the store is sound:
///
/// - no key is there that presque does not know;
/// - every job is in exactly one state, and nothing else is in one;
/// - what changes of a job is kept only for jobs that are there, and for every active one;
/// - the unique keys that are held are just those that living jobs carry, each by the job that carries it;
/// - no count is negative, and none is there that is not a number;
/// - no lease ends, and no scheduled job becomes due, before the queue says that this may be;
/// - a queue is marked as listed only when the list has it, and a queue with jobs is marked;
/// - a worker that is registered on a queue is in the list of workers.
///
/// All of it is looked at in one moment, so this may be asked while requests are answered. Only the first job of a queue must
/// have been answered: its queue is listed after it is stored.
pub async fn assert_sound(redis: &Redis) {
    assert_snapshot_sound(&Snapshot::of(redis).await);
}

/// The same, of what the primaries of a cluster have together. Each is looked at in a moment of its own, so no request may be under way.
pub async fn assert_cluster_sound(cluster: &Cluster) {
    let mut all = Snapshot { keys: BTreeMap::new() };
    for node in cluster.nodes() {
        let info: String = cluster[node].query(&["INFO", "replication"]).await;
        if info.contains("role:master") {
            all.keys.extend(Snapshot::of(&cluster[node]).await.keys);
        }
    }
    assert_snapshot_sound(&all);
}

fn assert_snapshot_sound(store: &Snapshot) {
    let mut queues: BTreeSet<&str> = BTreeSet::new();
    for key in store.keys.keys() {
        if let Some(tagged) = key.strip_prefix("presque:{") {
            let (tag, kind) = tagged.split_once("}:").expect(key);
            let known = presque::store::queue_key_suffixes().any(|suffix| suffix == kind)
                || kind.starts_with("idempotency:")
                || kind.starts_with("staged:")
                || kind.starts_with("wakeup:");
            // These are gone within a second: what a host has just tried at its start, and what marks a change for replicas.
            if tag == "try" || kind == "replicated" {
                continue;
            }
            assert!(known, "an unknown key: {key}");
            queues.insert(tag);
        } else if key != "test:clock" {
            let lists = [
                "presque:queues",
                "presque:workers",
                "presque:seen",
                "presque:health",
                "presque:overview",
            ];
            let known = lists.contains(&&**key) || key.starts_with("presque:worker:");
            assert!(known, "an unknown key: {key}");
        }
    }
    for tag in queues {
        assert_jobs_sound(store, tag);
        assert_queue_sound(store, tag);
    }
}

/// What the store has, as it was in one moment.
struct Snapshot {
    keys: BTreeMap<String, Value>,
}

impl Snapshot {
    async fn of(redis: &Redis) -> Self {
        let script = "
            local all = {}
            for _, key in ipairs(redis.call('KEYS', '*')) do
              local kind = redis.call('TYPE', key).ok
              local value = ''
              if kind == 'hash' then
                value = redis.call('HGETALL', key)
              elseif kind == 'zset' then
                value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
              end
              all[#all + 1] = {key, value}
            end
            return all";
        let keys: Vec<(String, Value)> = redis.query(&["EVAL", script, "0"]).await;
        Self {
            keys: keys.into_iter().collect(),
        }
    }

    /// A hash, or nothing.
    fn hash<K: FromRedisValue + Ord + Hash, V: FromRedisValue>(&self, key: &str) -> BTreeMap<K, V> {
        self.keys
            .get(key)
            .map_or_else(BTreeMap::new, |value| redis::from_redis_value(value).expect(key))
    }

    /// The members of a sorted set in their order, with their scores.
    fn sorted(&self, key: &str) -> Vec<(Vec<u8>, f64)> {
        self.keys
            .get(key)
            .map_or_else(Vec::new, |value| redis::from_redis_value(value).expect(key))
    }
}

/// What never changes of a job, as far as it concerns us.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    unique: Option<String>,
    unique_scope: Option<String>,
}

/// What changes of it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Execution {
    claims: u64,
    legacy: bool,
    worker: ByteBuf,
    redriven: bool,
}

fn assert_jobs_sound(store: &Snapshot, tag: &str) {
    let key = |kind: &str| format!("presque:{{{tag}}}:{kind}");
    let (mut jobs, mut executions) = (BTreeMap::new(), BTreeMap::new());
    for (field, value) in store.hash::<Vec<u8>, Vec<u8>>(&key("jobs")) {
        match field.strip_suffix(b"x").filter(|id| id.len() == 12) {
            Some(id) => executions.insert(id_of(id), value),
            None => jobs.insert(id_of(&field), value),
        };
    }
    let mut states: BTreeMap<JobId, &str> = BTreeMap::new();
    for state in STATES {
        for (member, _) in store.sorted(&key(state)) {
            let (id, payload) = member.split_at(12.min(member.len()));
            let id = id_of(id);
            if payload.is_empty() {
                assert!(jobs.contains_key(&id), "{tag}: {id} is {state} and not there");
            } else {
                // A compact job has no options, as this record.
                assert_eq!(state, "ready", "{tag}: {id} is compact");
                let twice = jobs.insert(id, [b":", payload].concat());
                assert_eq!(twice, None, "{tag}: {id} has a record too");
                assert!(
                    !executions.contains_key(&id),
                    "{tag}: {id} is compact and has an execution"
                );
            }
            let other = states.insert(id, state);
            assert_eq!(other, None, "{tag}: {id} is {state} too");
        }
    }
    for id in jobs.keys() {
        assert!(states.contains_key(id), "{tag}: {id} is in no state");
    }
    for id in executions.keys() {
        assert!(jobs.contains_key(id), "{tag}: {id} has an execution and is not there");
    }

    for (worker, packed) in store.hash::<Vec<u8>, Vec<u8>>(&key("legacy-receipts")) {
        for receipt in rmp_serde::from_slice::<Vec<ByteBuf>>(&packed).expect("receipts") {
            let (id, claim) = receipt.split_at(12);
            let id = id_of(id);
            let execution: Execution = executions
                .get(&id)
                .map(|packed| rmp_serde::from_slice(packed).expect("an execution"))
                .unwrap_or_default();
            // What was finished through /v1 meanwhile is no harm: the receipt is stale.
            if states.get(&id) == Some(&"active") && execution.claims.to_string().as_bytes() == claim {
                assert!(
                    execution.legacy && execution.worker == worker,
                    "{tag}: {worker:?} does not have {id}"
                );
            }
        }
    }

    let held: BTreeMap<Vec<u8>, Vec<u8>> = store.hash(&key("unique"));
    let held: BTreeMap<_, _> = held.into_iter().map(|(key, id)| (key, id_of(&id))).collect();
    let timed: BTreeSet<Vec<u8>> = store
        .sorted(&key("unique-until"))
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    for key in &timed {
        assert!(held.contains_key(key), "{tag}: {key:?} is held for a time by no job");
    }
    let mut carried = BTreeSet::new();
    for (id, record) in &jobs {
        let execution: Execution = executions
            .get(id)
            .map(|packed| rmp_serde::from_slice(packed).expect("an execution"))
            .unwrap_or_default();
        let state = states[id];
        assert!(
            state != "active" || execution.claims > 0,
            "{tag}: {id} is active without a claim"
        );
        let ended = ["done", "dead", "cancelled"].contains(&state);
        let options = options_of(record);
        let Some(unique) = options.unique.map(String::into_bytes) else {
            continue;
        };
        let holds = held.get(&unique) == Some(id);
        match options.unique_scope.as_deref() {
            None if execution.claims == 0 => assert_eq!(holds, !ended, "{tag}: {id} is {state}"),
            None if state == "active" || !execution.redriven => assert!(!holds, "{tag}: {id} is {state}"),
            Some("unfinished") => assert_eq!(holds, !ended, "{tag}: {id} is {state}"),
            _ => {}
        }
        carried.insert(unique);
    }
    for (unique, id) in &held {
        let known = carried.contains(unique) || timed.contains(unique);
        assert!(known, "{tag}: {unique:?} is held by {id}, which does not carry it");
    }
}

fn id_of(bytes: &[u8]) -> JobId {
    JobId::from_bytes(bytes).unwrap_or_else(|| panic!("{bytes:?} is no id"))
}

/// A record is the length of the packed options (nothing for none), a colon, the options, the payload.
fn options_of(record: &[u8]) -> Options {
    let colon = record.iter().position(|&byte| byte == b':').expect("a colon");
    let length = std::str::from_utf8(&record[..colon]).expect("a length");
    if length.is_empty() {
        return Options::default();
    }
    let length: usize = length.parse().expect("a number");
    rmp_serde::from_slice(&record[colon + 1..][..length]).expect("options")
}

fn assert_queue_sound(store: &Snapshot, tag: &str) {
    let key = |kind: &str| format!("presque:{{{tag}}}:{kind}");
    let has_jobs = ["jobs", "ready"].iter().any(|kind| store.keys.contains_key(&key(kind)));
    let meta: BTreeMap<String, Vec<u8>> = store.hash(&key("meta"));
    // A job may have been due before 1970, when it was sent.
    let not_a_count = ["settings", "policy", "last-turn", "rates", "history", "next-event"];
    for (field, value) in meta.iter().filter(|(field, _)| !not_a_count.contains(&&***field)) {
        assert!(
            std::str::from_utf8(value).unwrap().parse::<u64>().is_ok(),
            "{tag}: {field} is {value:?}"
        );
    }
    if let Some(next_event) = meta.get("next-event") {
        let next_event: f64 = std::str::from_utf8(next_event).unwrap().parse().unwrap();
        for state in ["active", "scheduled"] {
            let at = store.sorted(&key(state)).first().map_or(f64::INFINITY, |(_, at)| *at);
            assert!(
                next_event <= at,
                "{tag}: {state} at {at}, and nothing before {next_event}"
            );
        }
    }
    // All partitions of a queue are listed as one.
    let tag_of_queue = tag.split_once("%/").map_or(tag, |(queue, _)| queue);
    let name = tag_of_queue.replace("%7B", "{").replace("%7D", "}").replace("%25", "%");
    let is_in = |list: &str, name: &[u8]| store.sorted(list).iter().any(|(member, _)| member == name);
    let marked = meta.contains_key("cataloged");
    assert!(
        !marked || is_in("presque:queues", name.as_bytes()),
        "{tag}: marked and not in the list"
    );
    assert!(marked || !has_jobs, "{tag}: has jobs and is not marked as listed");

    for kind in ["workers", "worker-failures"] {
        for (worker, count) in store.hash::<Vec<u8>, i64>(&key(kind)) {
            assert!(count >= 0, "{tag}: {worker:?} has {count}");
            assert!(
                is_in("presque:workers", &worker),
                "{tag}: the worker {worker:?} is not in the list"
            );
        }
    }
}
