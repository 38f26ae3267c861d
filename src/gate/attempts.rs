//! Attempts with wrong keys: each of an address takes longer than the one before.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// How long the answer to the first attempt takes. It doubles with each further one.
const FIRST: Duration = Duration::from_millis(100);

/// The longest that it takes.
const LONGEST: Duration = Duration::from_secs(2);

/// An address that made no attempt for so long begins anew.
const FORGET: Duration = Duration::from_secs(60);

/// How many addresses are known. More are taken for one.
const MAX_ADDRESSES: usize = 1000;

/// The attempts that one instance has seen lately.
#[derive(Debug, Default)]
pub struct Attempts {
    /// When an address made the last, and how long its answer took. `None` is for clients whose addresses are not known.
    by_address: HashMap<Option<IpAddr>, (Instant, Duration)>,
}

impl Attempts {
    /// Notes an attempt. Gives how long its answer should take.
    pub fn note(&mut self, address: Option<IpAddr>, now: Instant) -> Duration {
        let address = address.map(network);
        let is_late = |last: Instant| now.saturating_duration_since(last) >= FORGET;
        if self.by_address.len() >= MAX_ADDRESSES {
            self.by_address.retain(|_, (last, _)| !is_late(*last));
        }
        let is_full = self.by_address.len() >= MAX_ADDRESSES && !self.by_address.contains_key(&address);
        let address = if is_full { None } else { address };
        let before = self.by_address.get(&address).filter(|(last, _)| !is_late(*last));
        let delay = before.map_or(FIRST, |(_, delay)| (*delay * 2).min(LONGEST));
        self.by_address.insert(address, (now, delay));
        delay
    }
}

/// What counts as one address: of IPv6 a network of 64 bits, in which anybody can have any number of addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Option<IpAddr> {
        Some(IpAddr::from(number.to_be_bytes()))
    }

    #[test]
    fn each_attempt_of_an_address_takes_twice_as_long_up_to_two_seconds() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        let millis: Vec<_> = (0..7).map(|_| attempts.note(address(1), now).as_millis()).collect();
        assert_eq!(millis, [100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(attempts.note(address(2), now), FIRST);
        assert_eq!(attempts.note(None, now), FIRST);
        let v6 = |text: &str| Some(text.parse().unwrap());
        assert_eq!(attempts.note(v6("2001:db8::1"), now), FIRST);
        assert_eq!(attempts.note(v6("2001:db8::2"), now), 2 * FIRST);
        assert_eq!(attempts.note(v6("2001:db8:0:1::1"), now), FIRST);
    }

    #[test]
    fn an_address_that_makes_no_attempt_for_a_minute_begins_anew() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        attempts.note(address(1), now);
        attempts.note(address(1), now + FORGET / 2);
        assert_eq!(attempts.note(address(1), now + FORGET), 4 * FIRST);
        assert_eq!(attempts.note(address(1), now + 2 * FORGET), FIRST);
    }

    #[test]
    fn more_addresses_than_are_known_are_taken_for_one() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for number in 0..1000 {
            assert_eq!(attempts.note(address(number), now), FIRST);
        }
        assert_eq!(attempts.note(address(1000), now), FIRST);
        assert_eq!(attempts.note(address(1001), now), 2 * FIRST);
        assert_eq!(attempts.note(address(7), now), 2 * FIRST);
        assert!(attempts.by_address.len() <= MAX_ADDRESSES + 1);
        assert_eq!(attempts.note(address(2000), now + FORGET), FIRST);
    }
}
