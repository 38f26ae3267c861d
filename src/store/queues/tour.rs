//! How an operation that takes whatever job there is goes round the partitions of its queue.

use crate::queue::QueueName;
use crate::store::redis::{QueueKeys, Redis, Store, Turn};

/// A way round the partitions of a queue, for one operation. Each begins at the partition after that of the last one, so that none is
/// forgotten; then come those that had more jobs when this instance asked them last, then the others.
pub(in crate::store) struct Tour {
    queue: String,
    /// A bit for each partition that was asked.
    asked: u64,
    stops: usize,
    first: Option<u8>,
    start: u8,
}

/// How many partitions are asked for more jobs, once there are some.
const MAX_STOPS: usize = 4;

impl Tour {
    /// Whether enough partitions were asked for an operation that has jobs.
    pub(in crate::store) fn is_long(&self) -> bool {
        self.stops >= MAX_STOPS
    }

    /// The same, when the next stop was chosen already.
    pub(in crate::store) fn is_past_limit(&self) -> bool {
        self.stops > MAX_STOPS
    }
}

impl<R: Redis> Store<R> {
    /// A way round, which begins at a partition where one is given.
    pub(in crate::store) fn tour(&self, queue: &QueueName, first: Option<u8>) -> Tour {
        let queue = QueueKeys::new(queue).owner().1.to_owned();
        let start = self.hints.next_turn(&queue, Turn::Tour, self.hints.layout(&queue).span);
        Tour {
            queue,
            asked: 0,
            stops: 0,
            first,
            start,
        }
    }

    /// The next partition to ask. `None` when all were that may have jobs, as far as is known: what a partition says of the others is
    /// known from then on.
    pub(in crate::store) fn next_stop(&self, tour: &mut Tour) -> Option<u8> {
        let span = self.hints.layout(&tour.queue).span;
        let had_jobs = self.hints.had_jobs(&tour.queue);
        let is_open = |partition: &u8| tour.asked >> partition & 1 == 0;
        let round = || (0..span).map(|step| (tour.start % span + step) % span);
        let first = tour.first.take().filter(|first| *first < span);
        let next = match tour.stops {
            0 => first.or_else(|| round().next()),
            _ => round()
                .find(|partition| is_open(partition) && had_jobs >> partition & 1 == 1)
                .or_else(|| round().find(is_open)),
        };
        let next = next?;
        tour.asked |= 1 << next;
        tour.stops += 1;
        Some(next)
    }

    /// Notes whether a partition may have more jobs.
    pub(in crate::store) fn note_stop(&self, tour: &Tour, partition: u8, has_more: bool) {
        self.hints.note_jobs(&tour.queue, partition, has_more);
    }
}
