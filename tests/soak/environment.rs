//! What producers and workers work on, and how it breaks.

use super::ledger::{Event, Journal};
use super::rng::Rng;
use crate::support::Host;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How long nothing breaks, in milliseconds.
const WHOLE: Range<u64> = 100..900;
/// How long things stay broken, in milliseconds.
pub const BROKEN: Range<u64> = 10..250;

/// Hosts and the Redis that they use. All of its processes end with it.
pub trait Environment {
    /// The hosts' addresses, which stay the same whatever becomes of the hosts.
    fn endpoints(&self) -> Vec<String>;

    /// Over how many partitions the queue is spread that forgets what is finished.
    fn partitions(&self) -> u8 {
        1
    }

    /// Breaks one thing, sees it mended, and says what it was.
    async fn break_and_mend(&mut self, rng: &mut Rng) -> &'static str;

    /// Breaks one thing after another for so long, and sees each mended.
    async fn break_for(&mut self, time: Duration, mut rng: Rng, journal: &Journal) {
        let start = Instant::now();
        while start.elapsed() < time {
            // How long things stay whole, or broken, is what this is about: nothing is waited for here.
            tokio::time::sleep(rng.millis(WHOLE)).await;
            let how = self.break_and_mend(&mut rng).await.to_owned();
            journal(Event::Fault { how });
        }
    }
}

pub fn port_of(host: &Host) -> u16 {
    let (_, port) = host.address().rsplit_once(':').expect("a port");
    port.parse().expect("a port")
}
