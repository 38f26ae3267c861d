//! Every Redis key that presque uses.
//!
//! A queue's keys are `presque:{<queue>}:<what>`. The part in braces is the hash tag, so all keys of a queue live on
//! one node of a cluster. In the tag `%`, `{` and `}` are percent-encoded: then no name can end the tag early, leave
//! it empty, or spell another queue's key.

use crate::queue::QueueName;

/// The list of queues: a sorted set, each with its generation as its score. See `listing`.
pub(super) const QUEUES: &str = "presque:queues";

/// The list of workers: a sorted set with all scores 0.
pub(super) const WORKERS: &str = "presque:workers";

/// The workers that claim by name: a sorted set of worker and queue, by when they were last seen. See `seen`.
pub(super) const SEEN: &str = "presque:seen";

/// The keys of one queue.
pub(super) struct QueueKeys {
    prefix: String,
}

impl QueueKeys {
    pub(super) fn new(queue: &QueueName) -> Self {
        let mut prefix = String::with_capacity(queue.as_str().len() + 12);
        prefix.push_str("presque:{");
        for c in queue.as_str().chars() {
            match c {
                '%' => prefix.push_str("%25"),
                '{' => prefix.push_str("%7B"),
                '}' => prefix.push_str("%7D"),
                _ => prefix.push(c),
            }
        }
        prefix.push_str("}:");
        Self { prefix }
    }

    fn key(&self, what: &str) -> String {
        [&self.prefix, what].concat()
    }

    /// All keys of the queue, in the order in which every script gets them: see `shared/keys.lua`.
    ///
    /// A script may touch any key of its queue, whatever state a job turns out to be in, and a cluster wants every key
    /// declared.
    pub(super) fn all(&self) -> Vec<String> {
        KINDS.iter().map(|kind| self.key(kind)).collect()
    }

    /// The same, and the keys of its readers: see `shared/reader_keys.lua`.
    pub(super) fn with_readers(&self) -> Vec<String> {
        let readers = ["readers", "mail", "past"].map(|kind| self.key(kind));
        [self.all(), readers.into()].concat()
    }

    /// A hash. When a queue is deleted these fields go:
    ///
    /// - `listed`: the generation that is in [`QUEUES`];
    /// - counts: `processed` (claimed or fetched), `done`, `failed`, `lost`;
    /// - `past`: how many bytes the list of that name has; `events`: whether an event stream was here;
    ///
    /// these where they are to go as well:
    ///
    /// - `status`: 1 open, 0 stopped; there once the queue was;
    /// - `settings`: packed, where they were set; `policy`: `broadcast` or `roundrobin`, where it was set;
    ///
    /// and these stay:
    ///
    /// - `generation`: how often it was deleted, nothing for never;
    /// - `sequence`: the last number given to a job;
    /// - `waiting`: until when somebody may wait;
    /// - of readers: `joined` and `mailed` (how many came, and how many jobs they were to be sent), `turn` (whose was the
    ///   last), `looked` (when one looked last).
    pub(super) fn meta(&self) -> String {
        self.key("meta")
    }

    /// A list: tokens that wake claims.
    pub(super) fn wake(&self) -> String {
        self.key("wake")
    }

    /// A list: what wakes one reader.
    pub(super) fn bell(&self, reader: &str) -> String {
        self.key(&["bell:", reader].concat())
    }

    /// A hash: how many jobs each worker that is registered on this queue has processed, by its id.
    pub(super) fn worker_counts(&self) -> String {
        self.key("workers")
    }

    /// A hash: how many jobs each worker that is registered on this queue has failed, by its id.
    pub(super) fn worker_failures(&self) -> String {
        self.key("worker-failures")
    }

    /// A hash: the receipts that workers of 2010 hold, by their ids.
    pub(super) fn held(&self) -> String {
        self.key("held")
    }

    /// A string: the answer to an insert that named itself by this key. In hexadecimal, since a key may be any bytes.
    pub(super) fn idempotency(&self, key: &[u8]) -> String {
        self.key(&["idempotency:", &hex(key)].concat())
    }
}

/// What a queue's keys end in. `docs/jobs.md` tells what each holds.
const KINDS: [&str; 18] = [
    "meta",
    "jobs",
    "runs",
    "ready",
    "scheduled",
    "active",
    "done",
    "dead",
    "cancelled",
    "unique",
    "unique-until",
    "settled",
    "wake",
    "rates",
    "workers",
    "worker-failures",
    "held",
    "seen",
];

/// A hash: what is known of a worker beside its queues. `started` (the second it registered), `processed` and `failed`
/// (what it did on queues that it has left), and a field `queue:<name>` for each queue that it is registered on.
///
/// The id is written in hexadecimal: it may be any bytes.
pub(super) fn worker(id: &[u8]) -> String {
    ["presque:worker:", &hex(id)].concat()
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
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
    fn two_names_never_share_a_key() {
        let names = ["}", "%7D", "{", "%7B", "%", "%25", "%257D", "a}:ready", "a"];
        let keys: std::collections::HashSet<_> = names.iter().map(|name| ready(name)).collect();
        assert_eq!(keys.len(), names.len());
    }
}
