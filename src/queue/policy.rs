//! How readers that stay share a queue's jobs.

/// How the permanent readers of a queue (those of the RestMQ dialect) share its jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Every reader gets every job.
    Broadcast,
    /// Each job goes to one reader, in turn.
    RoundRobin,
}

impl Policy {
    /// The policy's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Broadcast => "broadcast",
            Self::RoundRobin => "roundrobin",
        }
    }

    /// The policy of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Broadcast, Self::RoundRobin]
            .into_iter()
            .find(|policy| policy.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_known_by_its_exact_name() {
        for policy in [Policy::Broadcast, Policy::RoundRobin] {
            assert_eq!(Policy::named(policy.name()), Some(policy));
        }
        for name in ["", "Broadcast", "broadcast ", "round-robin"] {
            assert_eq!(Policy::named(name), None, "{name}");
        }
    }
}
