//! What the tests stand on: a host, a Redis, a client, and a proxy that breaks things.

mod browser;
mod client;
mod clock;
mod host;
mod invariants;
mod listener;
mod openapi;
mod proxy;
mod redis;
mod schema;

pub use browser::{Browser, Page};
pub use client::{Answer, Client};
pub use clock::{Clock, Clocked};
pub use host::{Host, HostOptions};
pub use invariants::assert_sound;
pub use listener::Listener;
pub use proxy::{Cut, Proxy};
pub use redis::{Commands, Native, Redis};

use std::time::{Duration, Instant};

/// No single thing that a test waits for takes longer than this.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks until there is something to see. For what gives no event of its own.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
