//! Random choices that a seed repeats.

use std::ops::Range;
use std::time::Duration;

/// A source of choices (SplitMix64). The choices of one seed are always the same; when they meet each other is not.
#[derive(Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A source for somebody else.
    pub fn split(&mut self) -> Self {
        Self(self.next())
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// Whether something happens that does so in so many of a thousand cases.
    pub fn happens(&mut self, in_a_thousand: u64) -> bool {
        self.within(0..1000) < in_a_thousand
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[usize::try_from(self.within(0..items.len() as u64)).unwrap()]
    }

    pub fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }

    /// Seconds with a fraction, as the API takes them.
    pub fn seconds(&mut self, millis: Range<u64>) -> f64 {
        self.millis(millis).as_secs_f64()
    }
}
