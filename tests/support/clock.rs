//! A store whose scripts read a clock that the test sets.

use super::Native;
use presque::queue::Timestamp;
use presque::store::{self, RedisError, Reply, Store};
use sha1_smol::Sha1;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What scripts call to learn the time, and what they call here instead.
const TIME: &str = "redis.call('TIME')";
const CLOCK: &str = "redis.call('HMGET', 'test:clock', 'seconds', 'micros')";

/// A way to Redis that gives each script the test's clock.
#[derive(Clone)]
pub struct Clocked {
    native: Native,
    /// Our scripts' hashes by those of the store's.
    scripts: Arc<Mutex<HashMap<Vec<u8>, String>>>,
}

/// A clock that stands still until it is moved.
pub struct Clock {
    native: Native,
    now: Timestamp,
}

impl Clock {
    /// A store whose clock this is, on the server that this is a way to.
    pub async fn with_store(native: Native) -> (Store<Clocked>, Self) {
        let mut clock = Self {
            native: native.clone(),
            now: Timestamp::from_millis(1_770_000_000_000),
        };
        clock.pass(Duration::ZERO).await;
        let scripts = Arc::default();
        (Store::new(Clocked { native, scripts }), clock)
    }

    /// The store of another instance, by this clock: it knows nothing yet.
    pub fn store_of_another_instance(&self) -> Store<Clocked> {
        let (native, scripts) = (self.native.clone(), Arc::default());
        Store::apart(Clocked { native, scripts })
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Lets time pass.
    pub async fn pass(&mut self, duration: Duration) {
        self.set(self.now.plus(duration)).await;
    }

    /// Shows this time, which may be an earlier one.
    pub async fn set(&mut self, now: Timestamp) {
        self.now = now;
        let millis = self.now.as_millis();
        let (seconds, micros) = ((millis / 1000).to_string(), (millis % 1000 * 1000).to_string());
        let fields = ["test:clock", "seconds", &seconds, "micros", &micros];
        let set = store::Redis::command(&self.native, "HSET", &fields.map(str::as_bytes)).await;
        set.expect("the clock is set");
    }
}

impl store::Redis for Clocked {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let mut args = args.to_vec();
        match name {
            "EVALSHA" => {
                let known = self.scripts.lock().expect("the scripts").get(args[0]).cloned();
                let ours = known.ok_or(RedisError::NoScript)?;
                args[0] = ours.as_bytes();
                self.native.command(name, &args).await
            }
            "EVAL" => {
                let theirs = std::str::from_utf8(args[0]).expect("a script");
                let ours = theirs.replace(TIME, CLOCK);
                let hash = |script: &str| Sha1::from(script).digest().to_string();
                let hashes = (hash(theirs).into_bytes(), hash(&ours));
                self.scripts.lock().expect("the scripts").insert(hashes.0, hashes.1);
                args[0] = ours.as_bytes();
                self.native.command(name, &args).await
            }
            _ => self.native.command(name, &args).await,
        }
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], most: Duration) -> Result<Vec<Reply>, RedisError> {
        self.native.blocking(name, args, most).await
    }
}
