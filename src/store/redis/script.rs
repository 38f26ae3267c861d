//! Lua scripts, which Redis knows by their hash. `build.rs` makes one of each `.lua` file.

use super::keys::{Key, QueueKeys};
use super::{Redis, RedisError, Reply};

/// A script.
pub(in crate::store) struct Script {
    source: &'static str,
    sha1: &'static str,
    /// The keys that it uses, in the order in which it gets them.
    keys: &'static [Key],
    /// Whether an answer to a client promises what it changes.
    promises: bool,
}

/// All scripts, each by the name of its file.
pub(in crate::store) mod scripts {
    use super::Script;
    use crate::store::redis::keys;

    macro_rules! script {
        ($name:ident, $source:literal, $sha1:literal, $keys:expr, $promises:literal) => {
            pub(in crate::store) static $name: Script = Script {
                source: $source,
                sha1: $sha1,
                keys: &$keys,
                promises: $promises,
            };
            const _: () = assert!($name.has_one_key_per_call_at_most());
        };
    }

    include!(concat!(env!("OUT_DIR"), "/scripts.rs"));
}

impl Script {
    /// Whether it is clear which key a caller gives.
    const fn has_one_key_per_call_at_most(&self) -> bool {
        let (mut keys, mut count) = (self.keys, 0);
        while let [key, rest @ ..] = keys {
            if matches!(key, Key::PerCall) {
                count += 1;
            }
            keys = rest;
        }
        count <= 1
    }

    /// Runs the script by its hash, on the keys of a queue and `call_keys`. A server that does not know it
    /// (a new one, or after `SCRIPT FLUSH`) is sent the source, and knows it from then on.
    pub(in crate::store) async fn run(
        &self,
        redis: &impl Redis,
        queue: &QueueKeys,
        call_keys: Vec<String>,
        args: &[&[u8]],
    ) -> Result<Vec<Reply>, RedisError> {
        let mut keys: Vec<String> = Vec::with_capacity(self.keys.len() + call_keys.len());
        let mut call_keys = Some(call_keys);
        for key in self.keys {
            match key {
                Key::Queue(suffix) => keys.push(queue.key(suffix)),
                Key::Global(key) => keys.push((*key).to_owned()),
                // A script has at most one name for keys of the call.
                Key::PerCall => keys.extend(call_keys.take().unwrap_or_default()),
            }
        }
        let count = keys.len().to_string();
        let mut all: Vec<&[u8]> = Vec::with_capacity(2 + keys.len() + args.len());
        all.extend([self.sha1.as_bytes(), count.as_bytes()]);
        all.extend(keys.iter().map(String::as_bytes));
        all.extend(args);
        match self.send(redis, "EVALSHA", &all).await {
            Err(RedisError::NoScript) => {
                if let Some(first) = all.first_mut() {
                    *first = self.source.as_bytes();
                }
                self.send(redis, "EVAL", &all).await
            }
            result => result,
        }
    }

    async fn send(&self, redis: &impl Redis, command: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        match self.promises {
            // On the heap: else the compiler cannot tell the layout of what is around it, so deep is that nested.
            true => Box::pin(redis.change(command, args)).await,
            false => Box::pin(redis.command(command, args)).await,
        }
    }
}
