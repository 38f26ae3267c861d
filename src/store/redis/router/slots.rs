//! The slots of a cluster: which one a key is in, and which node has it.

use super::address::Address;
use crate::store::redis::Reply;
use crc::{CRC_16_XMODEM, Crc, Table};

/// How many slots a cluster has.
const SLOTS: u16 = 16384;

static CRC: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_XMODEM);

/// The part of a key that decides its slot: what stands in its first braces, or all of it where that is nothing.
pub(super) fn hash_tag(key: &[u8]) -> &[u8] {
    let position = |bytes: &[u8], wanted| bytes.iter().position(|byte| *byte == wanted);
    let in_braces = || {
        let rest = key.get(position(key, b'{')? + 1..)?;
        rest.get(..position(rest, b'}')?).filter(|tag| !tag.is_empty())
    };
    in_braces().unwrap_or(key)
}

/// The slot that a key is in.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    CRC.checksum(hash_tag(key)) % SLOTS
}

/// The first key of a command, `None` for one without. The commands that the store sends have their keys in two ways.
pub(super) fn first_key<'a>(name: &str, args: &[&'a [u8]]) -> Option<&'a [u8]> {
    match name {
        "EVAL" | "EVALSHA" => args
            .get(2)
            .filter(|_| args.get(1).is_some_and(|count| *count != b"0"))
            .copied(),
        "PING" | "INFO" | "TIME" | "CONFIG" => None,
        _ => args.first().copied(),
    }
}

/// Which primary has which slots.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Slots {
    /// The last slot of each range and its primary, in ascending order. A gap belongs to the range behind it, whose primary
    /// answers that it has not got it.
    ranges: Vec<(u16, Address)>,
}

impl Slots {
    /// Reads the reply to `CLUSTER SLOTS`, flattened: for each range its first and its last slot, and then for each node that has
    /// it, the primary first, its host, port, id, and pairs of names and values. `asked` is the node that answered: one that does not know how
    /// it is reached leaves its host out. `None` for what cannot be read, or says nothing.
    pub(super) fn read(reply: &[Reply], asked: &Address) -> Option<Self> {
        let mut ranges: Vec<(u16, Address)> = Vec::new();
        let mut rest = reply;
        while let [Reply::Int(_), Reply::Int(last), nodes @ ..] = rest {
            let [host, Reply::Int(port), ..] = nodes else {
                return None;
            };
            let host = match host {
                Reply::Bytes(host) => str::from_utf8(host).ok()?,
                Reply::Nil => "",
                Reply::Int(_) | Reply::Status(_) => return None,
            };
            let address = Address::new(host, u16::try_from(*port).ok()?).seen_from(asked);
            let last = u16::try_from(*last).ok()?;
            // Most nodes tell them in ascending order, so this is nearly always at the end.
            let place = ranges.partition_point(|(other, _)| *other < last);
            ranges.insert(place, (last, address));
            // The next range begins with two numbers; a node has no two in a row.
            let is_range = |pair: &[Reply]| matches!(pair, [Reply::Int(_), Reply::Int(_)]);
            let next = nodes.windows(2).position(is_range).unwrap_or(nodes.len());
            rest = nodes.get(next..)?;
        }
        (rest.is_empty() && !ranges.is_empty()).then_some(Self { ranges })
    }

    /// The primary that has a slot; some primary for a slot that none has.
    pub(super) fn primary_of(&self, slot: u16) -> Option<&Address> {
        let at = self.ranges.partition_point(|(last, _)| *last < slot);
        self.ranges.get(at).or(self.ranges.last()).map(|(_, address)| address)
    }

    /// All primaries, each once.
    pub(super) fn primaries(&self) -> Vec<&Address> {
        let mut primaries = Vec::new();
        for (_, address) in &self.ranges {
            if !primaries.contains(&address) {
                primaries.push(address);
            }
        }
        primaries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_of_a_key_is_that_of_its_tag() {
        // The values of the cluster specification, and of CLUSTER KEYSLOT.
        assert_eq!(slot_of(b"123456789"), 0x31C3);
        assert_eq!(slot_of(b"presque:{mail}:meta"), slot_of(b"mail"));
        assert_eq!(slot_of(b"foo{}{bar}"), 8363);
        assert_eq!(slot_of(b"foo{{bar}}zap"), slot_of(b"{bar"));
        assert_eq!(slot_of(b"foo{bar"), slot_of(b"foo{bar"));
        assert_eq!(hash_tag(b"foo{bar"), b"foo{bar");
    }

    #[test]
    fn the_first_key_of_a_script_stands_behind_their_number() {
        assert_eq!(first_key("EVALSHA", &[b"sha", b"2", b"a", b"b"]), Some(&b"a"[..]));
        assert_eq!(first_key("EVAL", &[b"return 1", b"0", b"not a key"]), None);
        assert_eq!(first_key("BLPOP", &[b"list", b"1"]), Some(&b"list"[..]));
        assert_eq!(first_key("INFO", &[b"server"]), None);
    }

    fn text(text: &str) -> Reply {
        Reply::Bytes(text.into())
    }

    #[test]
    fn slots_are_read_with_replicas_and_names_of_hosts() {
        let asked = Address::new("10.0.0.9", 7000);
        let reply = [
            // With a replica, and a name of each.
            [Reply::Int(5461), Reply::Int(10922)].as_slice(),
            &[
                text("10.0.0.2"),
                Reply::Int(7001),
                text("id"),
                text("hostname"),
                text("two"),
            ],
            &[
                text("10.0.0.3"),
                Reply::Int(7002),
                text("id"),
                text("hostname"),
                text("three"),
            ],
            // One that does not know its own host.
            &[Reply::Int(0), Reply::Int(5460), text(""), Reply::Int(7000), text("id")],
            &[
                Reply::Int(10923),
                Reply::Int(16383),
                Reply::Nil,
                Reply::Int(7003),
                text("id"),
            ],
        ]
        .concat();
        let slots = Slots::read(&reply, &asked).unwrap();
        for (slot, host, port) in [
            (0, "10.0.0.9", 7000),
            (5460, "10.0.0.9", 7000),
            (5461, "10.0.0.2", 7001),
            (10922, "10.0.0.2", 7001),
            (16383, "10.0.0.9", 7003),
        ] {
            assert_eq!(slots.primary_of(slot), Some(&Address::new(host, port)), "{slot}");
        }
        assert_eq!(slots.primaries().len(), 3);
    }

    #[test]
    fn what_is_no_list_of_slots_is_not_taken_for_one() {
        let asked = Address::new("a", 1);
        let bad: [&[Reply]; 4] = [
            &[],
            &[text("x")],
            &[Reply::Int(0), Reply::Int(5)],
            &[Reply::Int(0), Reply::Int(70_000), text("a"), Reply::Int(1), text("id")],
        ];
        for reply in bad {
            assert_eq!(Slots::read(reply, &asked), None, "{reply:?}");
        }
    }
}
