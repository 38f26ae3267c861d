//! The partitions of a queue, and what an instance knows of them.
//!
//! An instance does not know how many partitions a queue has until a script tells it. What it was told last is kept, as a hint:
//! whatever depends on it is checked by the scripts, which answer with what is right.

use serde::Deserialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a queue's jobs lie in its partitions: see `lua/partition.lua`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Layout {
    /// Of the settings that it belongs to. 0 for a queue that never had more than one partition.
    pub version: u64,
    /// Over how many partitions new jobs are spread.
    pub partitions: u8,
    /// How many may have jobs.
    pub span: u8,
    /// How many there ever were: each has counts.
    pub extent: u8,
    /// Former numbers, by which keys may still be held.
    pub former: Vec<u8>,
    /// Whether legacy workers get their jobs under a lease.
    pub is_legacy_leased: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            version: 0,
            partitions: 1,
            span: 1,
            extent: 1,
            former: Vec::new(),
            is_legacy_leased: false,
        }
    }
}

impl Layout {
    /// That of nearly all queues. It is made once.
    pub(in crate::store) fn of_one_partition() -> Arc<Self> {
        OF_ONE_PARTITION.with(Arc::clone)
    }

    /// Reads what `tell_layout` says.
    fn from_note(note: &str) -> Option<Self> {
        let mut numbers = note.split(' ').map(str::parse::<u64>);
        let is_legacy_leased = numbers.next()?.ok()? == 1;
        let layout: Vec<u64> = numbers.collect::<Result<_, _>>().ok()?;
        Self::from_list(&layout, is_legacy_leased)
    }

    /// Reads the layout behind packed settings, where there is one.
    pub(in crate::store) fn behind(packed_settings: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(default)]
        #[derive(Default)]
        struct Leased {
            is_legacy_leased: bool,
        }
        let mut rest = packed_settings;
        let leased: Leased = rmp_serde::from_read(&mut rest).ok()?;
        let layout: Vec<u64> = rmp_serde::from_read(&mut rest).ok()?;
        Self::from_list(&layout, leased.is_legacy_leased)
    }

    fn from_list(list: &[u64], is_legacy_leased: bool) -> Option<Self> {
        let [version, partitions, span, extent, _changed, former @ ..] = list else {
            return None;
        };
        let number = |number: &u64| u8::try_from(*number).ok().filter(|number| (1..=64).contains(number));
        Some(Self {
            version: *version,
            partitions: number(partitions)?,
            span: number(span)?,
            extent: number(extent)?,
            former: former.iter().map(number).collect::<Option<_>>()?,
            is_legacy_leased,
        })
    }

    /// The partition to which a key belongs.
    pub(in crate::store) fn place(&self, key: &[u8]) -> u8 {
        place(key, self.partitions)
    }

    /// The other partitions in which a key may still be held.
    pub(in crate::store) fn former_places(&self, key: &[u8]) -> Vec<u8> {
        let mut places: Vec<u8> = self.former.iter().map(|number| place(key, *number)).collect();
        places.sort_unstable();
        places.dedup();
        let own = self.place(key);
        places.retain(|place| *place != own);
        places
    }
}

/// The partition to which a key belongs where there are so many. This must never change: keys are held where it says.
pub(in crate::store) fn place(key: &[u8], partitions: u8) -> u8 {
    // FNV-1a.
    let hash = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The low bits of keys that differ in their last byte alone are much alike.
    u8::try_from((hash ^ hash >> 32) % u64::from(partitions.max(1))).unwrap_or_default()
}

/// Of how many queues an instance remembers the layout.
const MAX_HINTS: usize = 1000;

/// What an instance was told of the queues that have partitions.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Hints(Arc<Mutex<BTreeMap<String, Hint>>>);

/// What goes round, each kind for itself.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Turn {
    /// New jobs.
    Insert,
    /// Whatever takes jobs.
    Tour,
    /// Claims that found nothing.
    Idle,
}

#[derive(Debug, Default)]
struct Hint {
    layout: Arc<Layout>,
    /// How often there was a turn of each kind.
    turns: [u32; 3],
    /// The partitions that had jobs when they were last asked, a bit for each.
    has_jobs: u64,
    /// Which partition told the layout.
    told_by: u8,
    /// The further partitions that know less than others, or more than partition 0, a bit for each.
    is_out_of_step: u64,
}

thread_local! {
    /// Nearly all queues have this one.
    static OF_ONE_PARTITION: Arc<Layout> = Arc::default();
    /// A component's instance has one thread, and makes a store for each request.
    static OF_INSTANCE: Hints = Hints::default();
}

impl Hints {
    /// Those that all stores of this instance share.
    pub(in crate::store) fn of_instance() -> Self {
        OF_INSTANCE.with(Self::clone)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Hint>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no queue is known to have partitions.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(in crate::store) fn layout(&self, queue: &str) -> Arc<Layout> {
        let hints = self.lock();
        let layout = hints.get(queue).map(|hint| hint.layout.clone());
        layout.unwrap_or_else(Layout::of_one_partition)
    }

    /// Takes a script's note. What another partition than 0 says is not news if it is older.
    pub(in crate::store) fn learn_note(&self, queue: &str, partition: u8, note: &str) {
        if let Some(layout) = Layout::from_note(note) {
            self.learn(queue, partition, layout);
        }
    }

    pub(in crate::store) fn learn(&self, queue: &str, partition: u8, layout: Layout) {
        let mut hints = self.lock();
        if let Some(hint) = hints.get_mut(queue) {
            hint.compare(partition, layout.version);
            if partition == 0 || hint.layout.version < layout.version {
                hint.told_by = partition;
                if *hint.layout != layout {
                    hint.layout = Arc::new(layout);
                }
            }
            return;
        }
        if hints.len() >= MAX_HINTS {
            let any = random() % MAX_HINTS;
            if let Some(name) = hints.keys().nth(any).cloned() {
                hints.remove(&name);
            }
        }
        let hint = Hint {
            layout: Arc::new(layout),
            turns: [u32::try_from(random() & 0xff).unwrap_or_default(); 3],
            has_jobs: 0,
            told_by: partition,
            is_out_of_step: 0,
        };
        hints.insert(queue.to_owned(), hint);
    }

    /// Partition 0 says that the queue has no others.
    pub(in crate::store) fn forget(&self, queue: &str) {
        self.lock().remove(queue);
    }

    /// A further partition says nothing of the layout: it has not learnt of it yet.
    pub(in crate::store) fn note_behind(&self, queue: &str, partition: u8) {
        if let Some(hint) = self.lock().get_mut(queue) {
            hint.compare(partition, 0);
        }
    }

    /// One of the further partitions that are out of step with partition 0, as far as is known. It is told once.
    pub(in crate::store) fn take_out_of_step(&self, queue: &str) -> Option<u8> {
        let mut hints = self.lock();
        let hint = hints.get_mut(queue).filter(|hint| hint.is_out_of_step != 0)?;
        let partition = hint.is_out_of_step.trailing_zeros();
        hint.is_out_of_step &= hint.is_out_of_step - 1;
        u8::try_from(partition).ok()
    }

    /// The next of so many partitions, each in its turn.
    pub(in crate::store) fn next_turn(&self, queue: &str, turn: Turn, partitions: u8) -> u8 {
        let mut hints = self.lock();
        let Some(turns) = hints.get_mut(queue).and_then(|hint| hint.turns.get_mut(turn as usize)) else {
            return 0;
        };
        *turns = turns.wrapping_add(1);
        u8::try_from(*turns % u32::from(partitions.max(1))).unwrap_or_default()
    }

    pub(in crate::store) fn note_jobs(&self, queue: &str, partition: u8, has_jobs: bool) {
        if let Some(hint) = self.lock().get_mut(queue) {
            let bit = 1_u64 << (partition & 63);
            hint.has_jobs = if has_jobs {
                hint.has_jobs | bit
            } else {
                hint.has_jobs & !bit
            };
        }
    }

    pub(in crate::store) fn had_jobs(&self, queue: &str) -> u64 {
        self.lock().get(queue).map_or(0, |hint| hint.has_jobs)
    }
}

impl Hint {
    /// Notes who is out of step, by the version that a partition tells.
    fn compare(&mut self, partition: u8, version: u64) {
        let bit = |partition: u8| 1_u64 << (partition & 63);
        match (partition, version.cmp(&self.layout.version)) {
            // A failover may have taken partition 0 back.
            (0, Ordering::Less) if self.told_by > 0 => self.is_out_of_step |= bit(self.told_by),
            (0, _) | (_, Ordering::Greater) => {}
            (_, Ordering::Less) => self.is_out_of_step |= bit(partition),
            (_, Ordering::Equal) => self.is_out_of_step &= !bit(partition),
        }
    }
}

/// Instances begin in different places.
fn random() -> usize {
    use std::hash::{BuildHasher, Hasher, RandomState};
    usize::try_from(RandomState::new().build_hasher().finish() & 0xffff_ffff).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_read_from_a_note_and_from_behind_the_settings() {
        let layout = Layout::from_note("1 7 2 4 8 5 4 8").unwrap();
        assert_eq!((layout.version, layout.partitions, layout.span), (7, 2, 4));
        assert_eq!((layout.extent, &layout.former[..]), (8, &[4, 8][..]));
        assert!(layout.is_legacy_leased);
        for note in ["", "0", "0 1 2", "0 1 0 1 1 1", "0 1 65 65 65 1", "0 x 1 1 1 1"] {
            assert_eq!(Layout::from_note(note), None, "{note}");
        }
        // {lease: 5}, [7, 2, 4, 8, 5, 4], nil
        let packed = b"\x81\xa5lease\x05\x96\x07\x02\x04\x08\x05\x04\xc0";
        assert_eq!(Layout::behind(packed).unwrap().former, [4]);
        assert_eq!(Layout::behind(b"\x81\xa5lease\x05"), None);
    }

    #[test]
    fn the_place_of_a_key_never_changes() {
        let places = |partitions| [&b"a"[..], b"order-17", b"\xff"].map(|key| place(key, partitions));
        assert_eq!(places(64), [0, 40, 34]);
        assert_eq!(places(3), [1, 2, 0]);
        assert_eq!(place(b"any", 1), 0);
    }

    #[test]
    fn keys_are_spread_evenly() {
        for partitions in [2, 3, 8, 64] {
            let mut counts = vec![0; usize::from(partitions)];
            for number in 0..6400 {
                counts[usize::from(place(format!("order-{number}").as_bytes(), partitions))] += 1;
            }
            let even = 6400 / i32::from(partitions);
            assert!(
                counts.iter().all(|count| (even / 2..even * 2).contains(count)),
                "{counts:?}"
            );
        }
    }

    #[test]
    fn what_a_partition_says_of_an_older_layout_is_no_news() {
        let hints = Hints::default();
        hints.learn_note("q", 1, "0 7 2 2 2 5");
        hints.learn_note("q", 1, "0 6 3 3 3 5");
        assert_eq!(hints.layout("q").partitions, 2);
        hints.learn_note("q", 0, "0 6 3 3 3 5");
        assert_eq!(hints.layout("q").partitions, 3);
        hints.forget("q");
        assert_eq!(*hints.layout("q"), Layout::default());
    }

    #[test]
    fn it_is_told_once_which_partition_is_out_of_step() {
        let hints = Hints::default();
        hints.learn_note("q", 0, "0 7 3 3 3 5");
        hints.learn_note("q", 1, "0 7 3 3 3 5");
        assert_eq!(hints.take_out_of_step("q"), None);
        hints.learn_note("q", 1, "0 6 3 3 3 5");
        hints.note_behind("q", 2);
        assert_eq!([(); 3].map(|()| hints.take_out_of_step("q")), [Some(1), Some(2), None]);
        // What it has caught up with needs no care.
        hints.note_behind("q", 2);
        hints.learn_note("q", 2, "0 7 3 3 3 5");
        assert_eq!(hints.take_out_of_step("q"), None);
        // One that is ahead is as a rule since this instance did not know.
        hints.learn_note("q", 2, "0 8 3 3 3 5");
        assert_eq!(hints.take_out_of_step("q"), None);
        // But partition 0 must know.
        hints.learn_note("q", 0, "0 7 3 3 3 5");
        assert_eq!(hints.take_out_of_step("q"), Some(2));
        hints.learn_note("q", 0, "0 9 3 3 3 5");
        assert_eq!(hints.take_out_of_step("q"), None);
    }

    #[test]
    fn of_too_many_queues_any_is_forgotten() {
        let hints = Hints::default();
        for number in 0..=MAX_HINTS {
            hints.learn_note(&format!("q{number:04}"), 0, "0 7 2 2 2 5");
        }
        assert_eq!(hints.lock().len(), MAX_HINTS);
        assert_eq!(hints.layout(&format!("q{MAX_HINTS:04}")).partitions, 2);
    }
}
