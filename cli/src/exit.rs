//! Exit codes: what a script can tell from them. `presque --help` has the table.

use crate::api::Failure;
use std::process::ExitCode;

/// The table for people: [`Exit`] says more.
pub(crate) const TABLE: &str = "\
Exit codes:
  0  All was done
  1  Something was not done, as the output says; doctor found an error
  2  The command line is wrong. Nothing was sent
  3  There is no such job or queue, or there was no job to take
  4  The server refuses: the request is wrong, or the key is not for it
  5  The server cannot be reached, or cannot serve now. Nothing was changed: try again
  6  The answer was lost. The request may have been carried out";

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
                Failure::Unreachable { .. } | Failure::Lost { is_safe: true, .. } => Self::Unavailable,
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

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn the_help_and_the_handbook_have_the_same_exit_codes() {
        let handbook = include_str!("../../docs/command.md");
        let row = |line: &str| {
            line.trim()
                .split_once("  ")
                .map(|(code, text)| format!("| {code} | {text} |"))
        };
        let rows: Vec<_> = TABLE.lines().skip(1).filter_map(row).collect();
        assert_eq!(rows.len(), 7);
        for row in rows {
            assert!(handbook.lines().any(|line| line == row), "{row}");
        }
    }
}
