//! What a node knows of all: `CLUSTER NODES`.

use std::ops::RangeInclusive;

/// What a node knows of all, itself included.
pub(super) struct View {
    pub(super) lines: Vec<Line>,
}

/// What a node knows of one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) id: String,
    /// The id of its primary, if it is a replica.
    pub(super) primary: Option<String>,
    pub(super) slots: Vec<(u16, u16)>,
    /// A primary's claim to its slots: of two that claim one, the higher epoch has it. A node that takes a slot gives itself a higher
    /// one than all it knows of. So if it has not heard of the last one, it can lose the slot again to the node that gave it away.
    pub(super) epoch: Option<u64>,
    /// It is known, not suspected to be gone, and there is a connection to it.
    pub(super) is_well: bool,
}

impl View {
    pub(super) fn parse(text: &str) -> Self {
        Self {
            lines: text.lines().map(Line::parse).collect(),
        }
    }

    pub(super) fn of(&self, id: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }
}

impl Line {
    /// Reads `ID ADDRESS FLAGS PRIMARY PING PONG EPOCH LINK SLOTS...`.
    fn parse(line: &str) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [id, _, flags, primary, _, _, epoch, link, slots @ ..] = &words[..] else {
            panic!("not a line of CLUSTER NODES: {line:?}");
        };
        let trouble = ["fail", "fail?", "handshake", "noaddr"];
        let is_primary = *primary == "-";
        Self {
            id: (*id).to_owned(),
            primary: (!is_primary).then(|| (*primary).to_owned()),
            epoch: is_primary.then(|| epoch.parse().expect("a number")),
            // Those that are on their way from or to another node are in brackets.
            slots: slots.iter().filter_map(|slots| range(slots)).collect(),
            is_well: *link == "connected" && !flags.split(',').any(|flag| trouble.contains(&flag)),
        }
    }

    pub(super) fn has_slot(&self, slot: u16) -> bool {
        self.slots
            .iter()
            .any(|&(first, last)| RangeInclusive::new(first, last).contains(&slot))
    }
}

/// The first and the last of `7-9`, or of `7`.
fn range(slots: &str) -> Option<(u16, u16)> {
    let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
    Some((first.parse().ok()?, last.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_in_which_a_primary_has_another_epoch_do_not_agree() {
        let line = |epoch| Line::parse(&format!("a 127.0.0.1:1@2 master - 0 0 {epoch} connected 0-5 [7->-b]"));
        assert_eq!(line(3).slots, [(0, 5)]);
        assert_eq!(line(3), line(3));
        assert_ne!(line(3), line(4));
        // That of a replica is its primary's, which it may not have heard yet.
        let replica = |epoch| Line::parse(&format!("a 127.0.0.1:1@2 slave b 0 0 {epoch} connected"));
        assert_eq!(replica(3), replica(4));
    }
}
