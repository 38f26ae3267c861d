//! Exit codes: what a script can tell from them. `presque help exit-codes` is the table.

use crate::api::Failure;
use std::process::ExitCode;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All was done.
    Done = 0,
    /// Something was not done, as the output says: a file could not be read, some jobs failed, a check found a fault.
    Failed = 1,
    /// The command line is wrong. Nothing was sent. (clap ends with this code, too.)
    Usage = 2,
    /// There is no such job or queue, or there was no job to take.
    Nothing = 3,
    /// The server refuses: the request is wrong, or the key is not for it. To repeat it is of no use.
    Refused = 4,
    /// The server cannot be reached, or cannot serve now. Nothing was changed; the command can be repeated.
    Unavailable = 5,
    /// The answer was lost. The request may have been carried out.
    Unknown = 6,
}

impl Exit {
    /// What an error means.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<Failure>() {
            None => Self::Failed,
            Some(failure) => match failure {
                Failure::Unreachable { .. } => Self::Unavailable,
                Failure::Lost { .. } => Self::Unknown,
                Failure::NotUnderstood { .. } => Self::Failed,
                Failure::Problem(problem) => match problem.status {
                    404 => Self::Nothing,
                    500 | 504 => Self::Unknown,
                    503 if problem.is("store-lost") => Self::Unknown,
                    408 | 429 | 502 | 503 | 507 => Self::Unavailable,
                    _ => Self::Refused,
                },
            },
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
