//! Exit codes: what a script can tell from them. `presque --help` has the table.

use crate::api::Failure;
use std::fmt;
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
        if let Some(Partly { exit, .. }) = error.downcast_ref() {
            return *exit;
        }
        match error.downcast_ref::<Failure>() {
            None => Self::Failed,
            Some(failure) => match failure {
                Failure::Unreachable { .. } | Failure::Lost { is_safe: true, .. } => Self::Unavailable,
                Failure::Lost { .. } => Self::Unknown,
                Failure::NotUnderstood { .. } => Self::Failed,
                Failure::Problem(problem) => match problem.status {
                    404 => Self::Nothing,
                    _ if failure.leaves_open() => Self::Unknown,
                    408 | 429 | 503 | 507 => Self::Unavailable,
                    _ => Self::Refused,
                },
            },
        }
    }
}

/// What a command did before it failed, as the context of the error.
#[derive(Debug)]
struct Partly {
    text: String,
    exit: Exit,
}

impl fmt::Display for Partly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The error of a command of several requests, with what it did before. If it did something, no exit code may say that nothing was
/// changed.
pub(crate) fn partly(error: anyhow::Error, has_changed: bool, text: String) -> anyhow::Error {
    let exit = match Exit::of(&error) {
        Exit::Unknown => Exit::Unknown,
        _ if has_changed => Exit::Failed,
        exit => exit,
    };
    error.context(Partly { text, exit })
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Problem;

    #[test]
    fn no_exit_code_says_that_nothing_was_changed_when_something_was_or_may_have_been() {
        let of = |status, r#type: &str, has_changed| {
            let problem = Problem {
                status,
                r#type: r#type.to_owned(),
                ..Problem::default()
            };
            let error = Failure::Problem(problem).into();
            Exit::of(&partly(error, has_changed, String::new()).context("more"))
        };
        for (status, r#type, alone, after_a_change) in [
            (
                503,
                "urn:presque:problem:store-unreachable",
                Exit::Unavailable,
                Exit::Failed,
            ),
            (503, "urn:presque:problem:store-lost", Exit::Unknown, Exit::Unknown),
            (404, "", Exit::Nothing, Exit::Failed),
            (422, "", Exit::Refused, Exit::Failed),
            (500, "", Exit::Unknown, Exit::Unknown),
            // Of a proxy that had passed the request on.
            (502, "", Exit::Unknown, Exit::Unknown),
            (503, "", Exit::Unknown, Exit::Unknown),
            (504, "", Exit::Unknown, Exit::Unknown),
        ] {
            assert_eq!(
                (of(status, r#type, false), of(status, r#type, true)),
                (alone, after_a_change),
                "{status}"
            );
        }
    }

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
