//! What an instance knows of itself.

use http_body::Body;
use http_body_util::BodyExt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Drawn anew by each instance.
static ID: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
static REQUESTS: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Counts a request.
pub(crate) fn count() {
    REQUESTS.fetch_add(1, Relaxed);
}

/// Which instance this is, and how many requests have come to it.
pub(crate) fn tell() -> String {
    format!("{:016x} {}", *ID, REQUESTS.load(Relaxed))
}

/// Says on stderr `held ID COUNT`, where COUNT requests are held in this instance now. Answers `ID` when the body
/// ends, so it is the client who says when.
pub(crate) async fn hold(body: impl Body + Unpin) -> String {
    let held = HELD.fetch_add(1, Relaxed) + 1;
    // Only an instance that waits takes another request. When this is over, it has waited.
    spin_sdk::time::sleep(Duration::from_millis(5)).await;
    crate::say(&format!("held {:016x} {held}", *ID));
    // A client that went away has ended its body, too.
    let _ = body.collect().await;
    HELD.fetch_sub(1, Relaxed);
    format!("{:016x}", *ID)
}
