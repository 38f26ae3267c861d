//! How much happened on a queue, of which the events that were shown are a part.

use super::events::Event;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What happened in each of the last minutes.
#[derive(Deserialize)]
pub(super) struct History {
    from: String,
    inserted: Vec<u64>,
    claimed: Vec<u64>,
    done: Vec<u64>,
    failed: Vec<u64>,
    dead: Vec<u64>,
    /// An older server does not count it.
    #[serde(default)]
    released: Vec<u64>,
}

/// What was counted since the beginning, and what of it was told.
#[derive(Default)]
pub(super) struct Counted {
    /// What is known of each minute, by when it began, in milliseconds.
    minutes: BTreeMap<i64, [u64; KINDS.len()]>,
    happened: [u64; KINDS.len()],
    told: [u64; KINDS.len()],
}

/// What a minute counts, by the names of the events.
const KINDS: [&str; 6] = ["inserted", "claimed", "done", "failed", "dead", "released"];

impl History {
    fn minutes(&self) -> impl Iterator<Item = (i64, [u64; KINDS.len()])> {
        const MINUTE: i64 = 60_000;
        let from = presque::queue::rfc3339::parse(&self.from).map_or(0, |from| from.as_millis());
        let at = |counts: &[u64], index| counts.get(index).copied().unwrap_or_default();
        (0..self.inserted.len()).map(move |index| {
            let counts = [
                &self.inserted,
                &self.claimed,
                &self.done,
                &self.failed,
                &self.dead,
                &self.released,
            ];
            (from + index as i64 * MINUTE, counts.map(|counts| at(counts, index)))
        })
    }
}

impl Counted {
    /// What happened before.
    pub(super) fn begin(&mut self, history: &History) {
        self.minutes = history.minutes().collect();
    }

    /// Counts what is new. Says whether there is something.
    pub(super) fn add(&mut self, history: &History) -> bool {
        let mut is_new = false;
        let minutes: BTreeMap<_, _> = history.minutes().collect();
        for (minute, counts) in &minutes {
            let before = self.minutes.get(minute).copied().unwrap_or_default();
            for ((happened, count), before) in self.happened.iter_mut().zip(counts).zip(before) {
                let new = count.saturating_sub(before);
                *happened += new;
                is_new |= new > 0;
            }
        }
        self.minutes = minutes;
        is_new
    }

    /// How much more happened than these events and what was told before. An event that is shown before it is counted is no deficit: its
    /// count comes with the next look.
    pub(super) fn more_than(&mut self, events: &[Event]) -> BTreeMap<&'static str, u64> {
        let mut more = BTreeMap::new();
        for ((kind, happened), told) in KINDS.into_iter().zip(self.happened).zip(&mut self.told) {
            *told += events.iter().filter(|event| event.kind == kind).count() as u64;
            if happened > *told {
                more.insert(kind, happened - *told);
                *told = happened;
            }
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(from: &str, inserted: &[u64]) -> History {
        let none = vec![0; inserted.len()];
        History {
            from: from.to_owned(),
            inserted: inserted.to_vec(),
            claimed: none.clone(),
            done: none.clone(),
            failed: none.clone(),
            dead: none.clone(),
            released: none,
        }
    }

    #[test]
    fn what_was_not_shown_is_told_once_also_when_a_minute_ends() {
        let mut counted = Counted::default();
        counted.begin(&history("2026-11-21T04:20:00.000Z", &[7, 2]));
        assert!(!counted.add(&history("2026-11-21T04:20:00.000Z", &[7, 2])));
        assert!(counted.add(&history("2026-11-21T04:21:00.000Z", &[5, 1])));
        assert_eq!(counted.more_than(&[]), BTreeMap::from([("inserted", 4)]));
        assert!(!counted.add(&history("2026-11-21T04:21:00.000Z", &[5, 1])));
        assert!(counted.more_than(&[]).is_empty());
    }
}
