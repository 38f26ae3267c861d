//! Whether a queue hands out its jobs.

/// Whether a queue hands out its jobs. It takes new ones in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Open,
    /// It holds them back.
    Stopped,
}
