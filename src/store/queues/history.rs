//! What happened on queues, minute by minute.

use crate::queue::{QueueName, Timestamp};
use crate::store::redis::{Redis, RedisError, ReplyReader, Store, scripts};
use std::time::Duration;

/// How long a minute is, in milliseconds.
const MINUTE: i64 = 60_000;

/// What happened on a queue in the last minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// When the first minute began.
    pub from: Timestamp,
    /// The minutes, the oldest first. The last one is not over yet.
    pub minutes: Vec<Minute>,
}

impl History {
    /// How many minutes are kept.
    pub const MAX_MINUTES: usize = 180;
}

/// What happened on a queue in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// New jobs.
    pub inserted: u64,
    /// Claims and fetches.
    pub claimed: u64,
    /// Acknowledged jobs.
    pub done: u64,
    /// Failures.
    pub failed: u64,
    /// Leases that ended before their job did.
    pub lost_leases: u64,
    /// Jobs that became dead.
    pub dead: u64,
    /// Jobs that were given back without a failure.
    pub released: u64,
    /// The longest time that a job which was ready in this minute had been so, since it was inserted or due; also if it was claimed
    /// meanwhile, and came back. It may be told a tenth too short, or a minute where the job is not ready any more. 0 where no
    /// job was ready for a second.
    pub oldest_ready: Duration,
}

impl<R: Redis> Store<R> {
    /// What happened on a queue in the last minutes, at most [`History::MAX_MINUTES`]. `None` for a queue that does not exist.
    /// One command for each partition that it ever had.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn history(&self, queue: &QueueName, minutes: usize) -> Result<Option<History>, RedisError> {
        let count = minutes.clamp(1, History::MAX_MINUTES);
        let arg = count.to_string();
        let reply = self.run_in(&scripts::HISTORY, queue, 0, &[arg.as_bytes()]).await?;
        let mut history = read(reply, count)?;
        for partition in 1..self.layout(queue).extent {
            let reply = self
                .run_in(&scripts::HISTORY, queue, partition, &[arg.as_bytes()])
                .await?;
            if let (Some(history), Some(part)) = (&mut history, read(reply, count)?) {
                history.add(&part);
            }
        }
        Ok(history)
    }
}

impl History {
    /// Adds what happened in another partition.
    fn add(&mut self, part: &Self) {
        // A minute may have passed in between.
        let later = (part.from.as_millis() - self.from.as_millis()).div_euclid(MINUTE);
        for (index, more) in (later..).zip(&part.minutes) {
            if let Some(minute) = usize::try_from(index)
                .ok()
                .and_then(|index| self.minutes.get_mut(index))
            {
                minute.inserted += more.inserted;
                minute.claimed += more.claimed;
                minute.done += more.done;
                minute.failed += more.failed;
                minute.lost_leases += more.lost_leases;
                minute.dead += more.dead;
                minute.released += more.released;
                minute.oldest_ready = minute.oldest_ready.max(more.oldest_ready);
            }
        }
    }
}

/// The script's reply, as so many minutes.
fn read(mut reply: ReplyReader, count: usize) -> Result<Option<History>, RedisError> {
    if reply.is_empty() {
        return Ok(None);
    }
    let now = reply.integer()?;
    let ready_since = reply.time()?.map(Timestamp::as_millis);
    let first = now.div_euclid(MINUTE) + 1 - i64::try_from(count).unwrap_or(i64::MAX);
    let mut minutes = vec![Minute::default(); count];
    while !reply.is_empty() {
        let number = reply.integer()?;
        let minute = Minute {
            inserted: reply.count()?,
            claimed: reply.count()?,
            done: reply.count()?,
            failed: reply.count()?,
            lost_leases: reply.count()?,
            dead: reply.count()?,
            released: reply.count()?,
            oldest_ready: Duration::from_millis(reply.count()?),
        };
        let place = usize::try_from(number - first).ok();
        if let Some(place) = place.and_then(|place| minutes.get_mut(place)) {
            *place = minute;
        }
    }
    fill_ages(&mut minutes, now, ready_since);
    Ok(Some(History {
        from: Timestamp::from_millis(first * MINUTE),
        minutes,
    }))
}

/// Ages of minutes in which a job waited and was not claimed. `minutes` have the longest waits of what was claimed in them, and
/// `ready_since` is since when the oldest job is ready.
fn fill_ages(minutes: &mut [Minute], now: i64, mut ready_since: Option<i64>) {
    // The last minute is not over yet.
    let (mut end, mut start) = (now, now - now.rem_euclid(MINUTE));
    for minute in minutes.iter_mut().rev() {
        let wait = minute.oldest_ready;
        if let Some(since) = ready_since {
            let age = Duration::from_millis(u64::try_from(end - since).unwrap_or(0));
            minute.oldest_ready = wait.max(age);
        }
        if !wait.is_zero() {
            // It was claimed before the end of this minute, so it has been ready since then at the latest.
            let since = end - i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            ready_since = Some(ready_since.map_or(since, |other| other.min(since)));
        }
        (end, start) = (start, start - MINUTE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ages, in seconds, of minutes with these longest waits, in seconds, when so many seconds of the last have passed.
    fn ages<const N: usize>(waits: [u64; N], passed: i64, ready_since: Option<i64>) -> [u64; N] {
        let mut minutes = waits.map(|wait| Minute {
            oldest_ready: Duration::from_secs(wait),
            ..Minute::default()
        });
        let last = i64::try_from(N).unwrap() - 1;
        let now = last * MINUTE + passed * 1000;
        fill_ages(&mut minutes, now, ready_since.map(|since| since * 1000));
        minutes.map(|minute| minute.oldest_ready.as_secs())
    }

    #[test]
    fn a_job_that_is_still_ready_was_so_in_all_minutes_since() {
        assert_eq!(ages([0, 0, 0], 30, Some(70)), [0, 50, 80]);
        assert_eq!(ages([0, 0, 0], 30, None), [0, 0, 0]);
        assert_eq!(ages([0, 0, 0], 30, Some(500)), [0, 0, 0]);
    }

    #[test]
    fn a_job_that_was_claimed_was_ready_before_for_as_long_as_it_waited() {
        assert_eq!(ages([0, 0, 90, 0], 10, None), [0, 30, 90, 0]);
        assert_eq!(ages([0, 70, 90, 0], 10, None), [10, 70, 90, 0]);
    }

    #[test]
    fn a_minute_that_has_just_begun_is_one() {
        assert_eq!(ages([0, 0, 0], 0, Some(70)), [0, 50, 50]);
    }

    #[test]
    fn the_longest_of_all_is_told() {
        assert_eq!(ages([5, 100, 5], 30, Some(115)), [40, 100, 35]);
    }
}
