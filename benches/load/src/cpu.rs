//! How much processor time a process has used, as Linux counts it.

use std::fs;
use std::time::Duration;

/// The processor time of a process with all its threads that still run. `None` where the system does not tell.
pub(crate) fn time_of(pid: u32) -> Option<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // One that has ended in the meantime.
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else {
            continue;
        };
        nanos += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanos))
}
