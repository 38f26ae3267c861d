//! Waiting for what must come.

use std::time::{Duration, Instant};

/// No single thing that a test waits for takes longer than this.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a future that must end.
pub async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

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

/// Looks until something is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    eventually(what, async || is_so().await.then_some(())).await;
}

/// Looks until nothing is missing, and tells what was missing last when it gives up.
pub(crate) async fn until_complete(what: &str, mut missing: impl AsyncFnMut() -> Option<String>) {
    let start = Instant::now();
    while let Some(missing) = missing().await {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}: {missing}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
