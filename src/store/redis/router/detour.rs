//! What an error says about where to send a command instead, or when.

use super::address::Address;
use crate::store::redis::{RedisError, Unavailable};

/// Where a command may be carried out that did nothing here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Detour {
    /// There, and all others on keys of this slot: the map of slots is old.
    Moved(Address),
    /// There, this once: the slot is on its way there, and this key is not here.
    Ask(Address),
    /// Here, soon: some of the keys are here, and others on their way.
    Later,
    /// Perhaps elsewhere: this server does not do it now, or is away.
    LookAgain,
}

impl Detour {
    /// What an error says, `None` where another try is of no use, or might do the same twice.
    pub(super) fn of(error: &RedisError) -> Option<Self> {
        match error {
            RedisError::Unreachable(_) => Some(Self::LookAgain),
            RedisError::Unavailable(Unavailable::OtherNode, text) => Some(Self::of_text(text)),
            RedisError::Unavailable(
                Unavailable::ReadOnly | Unavailable::PrimaryAway | Unavailable::Loading | Unavailable::NoReplicas,
                _,
            ) => Some(Self::LookAgain),
            _ => None,
        }
    }

    /// Whether only a node of a cluster gives such an error.
    pub(super) fn is_of_cluster(&self, error: &RedisError) -> bool {
        *self == Self::Later || matches!(error, RedisError::Unavailable(Unavailable::OtherNode, _))
    }

    /// Reads `MOVED: 15495 127.0.0.1:7303` and the like, before which a client may put words of its own, and which it may
    /// write in other letters.
    fn of_text(text: &str) -> Self {
        let mut words = text.rsplit(' ');
        let address = words.next().and_then(Address::parse);
        let has_slot = words.next().is_some_and(|slot| slot.parse::<u16>().is_ok());
        let says = |code: &str| text.to_ascii_uppercase().split([' ', ':']).any(|word| word == code);
        match address.filter(|_| has_slot) {
            Some(address) if says("MOVED") => Self::Moved(address),
            Some(address) if says("ASK") => Self::Ask(address),
            _ if says("TRYAGAIN") => Self::Later,
            _ => Self::LookAgain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_are_read_as_the_platform_and_the_server_write_them() {
        let node = Address::new("127.0.0.1", 7303);
        for (text, detour) in [
            (
                "An error was signalled by the server - Moved: 15495 127.0.0.1:7303",
                Detour::Moved(node.clone()),
            ),
            ("Moved: 15495 127.0.0.1:7303", Detour::Moved(node.clone())),
            ("MOVED: 15495 127.0.0.1:7303", Detour::Moved(node.clone())),
            (
                "An error was signalled by the server - Ask: 15495 127.0.0.1:7303",
                Detour::Ask(node),
            ),
            (
                "An error was signalled by the server - Moved: 1 :7303",
                Detour::Moved(Address::new("", 7303)),
            ),
            (
                "An error was signalled by the server - Moved: 1 2001:db8::1:7303",
                Detour::Moved(Address::new("2001:db8::1", 7303)),
            ),
            (
                "An error was signalled by the server - TryAgain: Multiple keys request during rehashing of slot",
                Detour::Later,
            ),
            (
                "An error was signalled by the server - ClusterDown: The cluster is down",
                Detour::LookAgain,
            ),
            (
                "An error was signalled by the server - Moved: nowhere",
                Detour::LookAgain,
            ),
        ] {
            let error = RedisError::from_text(text.to_owned());
            assert_eq!(Detour::of(&error), Some(detour), "{text}");
        }
    }

    #[test]
    fn what_may_have_been_carried_out_is_not_sent_elsewhere() {
        for error in [
            RedisError::Lost("broken pipe".into()),
            RedisError::NoScript,
            RedisError::Refused("WRONGTYPE".into()),
            RedisError::Unavailable(Unavailable::Busy, "BUSY".into()),
        ] {
            assert_eq!(Detour::of(&error), None, "{error}");
        }
    }
}
