//! Every Redis key that presque uses.
//!
//! A queue's keys are `presque:{<queue>}:<suffix>`. The part in braces is the hash tag, so all keys of a queue live on
//! one node of a cluster. In the tag `%`, `{` and `}` are percent-encoded: then no name can end the tag early, leave
//! it empty, or spell another queue's key. The further partitions of a queue have tags of their own, `{<queue>%/<partition>}`,
//! which no name can spell either.

use crate::queue::QueueName;

/// A key by the name that scripts have for it.
pub(in crate::store) enum Key {
    /// A key of a queue, by its suffix.
    Queue(&'static str),
    /// A key that spans queues.
    Global(&'static str),
    /// A key that each call of a script gives.
    PerCall,
}

macro_rules! keys {
    ($($(#[$doc:meta])+ $name:ident = $key:expr;)+) => {
        $($(#[$doc])+ pub(in crate::store) const $name: Key = $key;)+

        const ALL: &[Key] = &[$($name),+];
    };
}

keys! {
    /// A hash. When a queue is deleted these fields go:
    ///
    /// - `cataloged`: the time at which the queue was entered in [`CATALOG`] last;
    /// - counts: `waited-…` and `processed` (claimed or fetched: see `lua/waits.lua`), `done`, `failed`, `lost-leases`, `died` (became
    ///   dead), `released`, `orphans`; `period`, `rates`, `history` and `longest-wait`: see `lua/counts.lua`;
    /// - `next-event`: before this time (ms) no lease ends, no scheduled job becomes due, and no batch waits;
    /// - `to-take-in`: how many jobs of batches wait to be taken in;
    /// - `replay-bytes`: how many bytes [`REPLAY`] has; `keeps-replay`: whether an event stream was here;
    ///
    /// these go with the settings:
    ///
    /// - `status`: 1 open, 0 stopped; there once the queue was;
    /// - `settings`: packed, where they were set, and behind them the layout of a queue with partitions: see
    ///   `lua/partition.lua`; `policy`: `broadcast` or `roundrobin`, where it was set;
    ///
    /// and these stay, for 25 hours where the queue has no settings left:
    ///
    /// - `generation`: when the queue was last deleted (ms), nothing for never;
    /// - `closed`: of a further partition: the version of the layout with which it was last deleted;
    /// - `sweep-at`: when a call is to free again what is over its time;
    /// - `sequence`: the last number given to a job, which is how many were inserted; in a further partition it begins with
    ///   the partition in the top 6 of 48 bits;
    /// - `waiting-until`: until when somebody may wait;
    /// - of subscribers: `subscriber-sequence` (the last number given to one), `delivery-sequence` (the last position given to
    ///   a delivery; some are skipped), `last-turn` (who was sent the last job in turn), `last-poll` (when one polled last).
    META = Key::Queue("meta");
    /// A hash with two fields for each job: its id (12 bytes), with its record, which is its options and payload, written
    /// once; and, from the first change on, its id and an `x`, with its execution, which is what changes of it. Jobs that are
    /// compact in [`READY`] have none.
    JOBS = Key::Queue("jobs");
    /// A sorted set: the ids of ready jobs by their position. Behind the id of a compact job is its payload: see `lua/ready.lua`.
    READY = Key::Queue("ready");
    /// A sorted set: the ids of scheduled jobs by when they are due.
    SCHEDULED = Key::Queue("scheduled");
    /// A sorted set: the ids of active jobs by the end of their lease.
    ACTIVE = Key::Queue("active");
    /// A sorted set: the ids of done jobs by when they are forgotten.
    DONE = Key::Queue("done");
    /// A sorted set: the ids of dead jobs by when they are forgotten.
    DEAD = Key::Queue("dead");
    /// A sorted set: the ids of cancelled jobs by when they are forgotten.
    CANCELLED = Key::Queue("cancelled");
    /// A hash: unique keys, each with the id of the job that holds it.
    UNIQUE = Key::Queue("unique");
    /// A sorted set: the unique keys that are held for a time, by its end.
    UNIQUE_UNTIL = Key::Queue("unique-until");
    /// A sorted set: receipts (an id and the number of the claim) that were acknowledged (`+` behind them) or given back (`-`), by when that was.
    FINISHED_RECEIPTS = Key::Queue("finished-receipts");
    /// A list: batches that are inserted and wait to be taken in: a header, and its slices. See `lua/batch.lua`.
    BATCHES = Key::Queue("batches");
    /// A list: tokens that wake claims and subscribers.
    WAKEUP = Key::Queue("wakeup");
    /// A hash: the legacy workers that are registered on the queue, each with how many jobs it has processed.
    WORKER_COUNTS = Key::Queue("workers");
    /// A hash: the same workers, each with how many jobs it has failed.
    WORKER_FAILURES = Key::Queue("worker-failures");
    /// A hash: legacy workers, each with the receipts of its jobs, packed.
    LEGACY_RECEIPTS = Key::Queue("legacy-receipts");
    /// A sorted set: the workers that claim by name, by when they were last seen.
    SEEN = Key::Queue("seen");
    /// A sorted set: subscribers by when they count as gone.
    SUBSCRIBERS = Key::Queue("subscribers");
    /// A sorted set, all scores 0: what is to be sent to each subscriber.
    DELIVERIES = Key::Queue("deliveries");
    /// A list: what was sent to subscribers, for event streams that come back.
    REPLAY = Key::Queue("replay");
    /// The catalog, a sorted set: the queues, each by when it was entered.
    CATALOG = Key::Global("presque:queues");
    /// A sorted set, all scores 0: the legacy workers. Those on queues below a root have a [`workers_below`] of their own.
    WORKERS = Key::Global("presque:workers");
    /// A sorted set: each worker that claims by name with each of its queues, by when it was last seen there. Expires
    /// after a day.
    ALL_SEEN = Key::Global("presque:seen");
    /// A hash: queues, each with its summary when it was last looked at for an overview. Goes ten minutes after the
    /// last overview.
    OVERVIEW = Key::Global("presque:overview");
    /// What health tries to write: gone at once, or after a second.
    PROBE = Key::Global("presque:health");
    /// [`CATALOG`] or [`WORKERS`].
    NAMES = Key::PerCall;
    /// A [`worker_record`].
    WORKER_RECORD = Key::PerCall;
    /// A [`QueueKeys::staged`].
    STAGED = Key::PerCall;
    /// A [`QueueKeys::idempotency`].
    IDEMPOTENCY = Key::PerCall;
    /// A [`QueueKeys::wakeup_of`] for each of some subscribers.
    WAKEUPS = Key::PerCall;
}

impl Key {
    /// The suffix of a queue's key, or a key that spans queues.
    pub(in crate::store) const fn name(&self) -> &'static str {
        match self {
            Self::Queue(name) | Self::Global(name) => name,
            Self::PerCall => "",
        }
    }
}

/// What the keys that every queue may have end in: for tools that look at a store from outside.
pub fn queue_key_suffixes() -> impl Iterator<Item = &'static str> {
    ALL.iter().filter_map(|key| match key {
        Key::Queue(suffix) => Some(*suffix),
        Key::Global(_) | Key::PerCall => None,
    })
}

/// Makes the keys of one queue; by default of none, for scripts whose keys span queues.
#[derive(Default)]
pub(in crate::store) struct QueueKeys {
    prefix: String,
    /// How many bytes of that are the same for all partitions of the queue.
    name_end: usize,
    partition: u8,
}

impl QueueKeys {
    /// The keys of a queue; of its partition 0 where it has several.
    pub(in crate::store) fn new(queue: &QueueName) -> Self {
        Self::partition(queue, 0)
    }

    /// The keys of one partition of a queue.
    pub(in crate::store) fn partition(queue: &QueueName, partition: u8) -> Self {
        let mut prefix = String::with_capacity(queue.stored().len() + 16);
        prefix.push_str("presque:{");
        for c in queue.stored().chars() {
            match c {
                '%' => prefix.push_str("%25"),
                '{' => prefix.push_str("%7B"),
                '}' => prefix.push_str("%7D"),
                _ => prefix.push(c),
            }
        }
        let name_end = prefix.len();
        if partition > 0 {
            prefix.push_str("%/");
            prefix.push_str(&partition.to_string());
        }
        prefix.push_str("}:");
        Self {
            prefix,
            name_end,
            partition,
        }
    }

    /// Which partition's they are, and what stands for the queue, whatever the partition.
    pub(in crate::store) fn owner(&self) -> (u8, &str) {
        (self.partition, self.prefix.get(..self.name_end).unwrap_or_default())
    }

    pub(in crate::store) fn key(&self, suffix: &str) -> String {
        [&self.prefix, suffix].concat()
    }

    /// A list: what wakes one subscriber.
    pub(in crate::store) fn wakeup_of(&self, subscriber: &str) -> String {
        self.key(&["wakeup:", subscriber].concat())
    }

    /// A list: the slices of a batch that are sent so far. The name tells it from those that come at the same time.
    pub(in crate::store) fn staged(&self, name: u64) -> String {
        self.key(&format!("staged:{name:x}"))
    }

    /// A string: the answer to an insert with this idempotency key. In hexadecimal, since a key may be any bytes.
    pub(in crate::store) fn idempotency(&self, key: &[u8]) -> String {
        self.key(&["idempotency:", &hex(key)].concat())
    }
}

/// A string: marks the time of a change, so that replicas can be waited for. In the slot of this tag, and gone after a second.
pub(in crate::store) fn replication_mark(tag: &[u8]) -> Vec<u8> {
    [b"presque:{", tag, b"}:replicated"].concat()
}

/// A hash: what is known of a legacy worker beside its queues. `started` (the second it registered), `processed` and
/// `failed` (what it did on queues that it has left), and a field `queue:<name>` for each queue that it is registered on.
///
/// The worker is written in hexadecimal: it may be any bytes. So is the root that its queues are below, where there is one.
pub(in crate::store) fn worker_record(root: &str, worker: &[u8]) -> String {
    let mut root = hex(root.as_bytes());
    if !root.is_empty() {
        root.push(':');
    }
    ["presque:worker:", &root, &hex(worker)].concat()
}

/// The list of the legacy workers on queues below a root: [`WORKERS`] for those below none.
pub(in crate::store) fn workers_below(root: &str) -> String {
    if root.is_empty() {
        WORKERS.name().to_owned()
    } else {
        [WORKERS.name(), ":", &hex(root.as_bytes())].concat()
    }
}

/// Bytes as hexadecimal digits.
pub(in crate::store) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(name: &str) -> String {
        QueueKeys::new(&QueueName::new(name).unwrap()).key("ready")
    }

    /// The part of a key that decides its slot, as the cluster specification has it.
    fn hash_tag(key: &str) -> &str {
        let start = key.find('{').unwrap() + 1;
        let end = start + key[start..].find('}').unwrap();
        &key[start..end]
    }

    #[test]
    fn a_key_is_the_tagged_name_and_what_it_holds() {
        assert_eq!(ready("foo"), "presque:{foo}:ready");
        assert_eq!(ready("é/b:c"), "presque:{é/b:c}:ready");
    }

    #[test]
    fn no_name_can_leave_its_tag_or_empty_it() {
        for name in ["}", "{}", "}:ready", "a}b", "{", "%7D", "a}:ready"] {
            let key = ready(name);
            let tag = hash_tag(&key).to_owned();
            assert!(!tag.is_empty(), "{key}");
            assert_eq!(key, format!("presque:{{{tag}}}:ready"));
        }
    }

    #[test]
    fn two_names_never_share_a_key_nor_do_two_partitions() {
        let names = [
            "}", "%7D", "{", "%7B", "%", "%25", "%257D", "a}:ready", "a", "a%/1", "a%25/1",
        ];
        let partitions = |name: &&str| {
            let queue = QueueName::new(*name).unwrap();
            [0, 1, 11].map(|partition| QueueKeys::partition(&queue, partition).key("ready"))
        };
        let keys: std::collections::HashSet<_> = names.iter().flat_map(partitions).collect();
        assert_eq!(keys.len(), names.len() * 3);
        assert!(keys.contains("presque:{a%/11}:ready"));
    }
}
