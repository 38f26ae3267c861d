//! What became of a job, and what the server is told of it.

use super::lease::Loss;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::time::Duration;

/// The most that is kept of a result, as JSON.
pub(super) const MAX_RESULT: usize = 64 * 1024;

/// The most that is kept of an error.
pub(super) const MAX_ERROR: usize = 4096;

/// What became of a job.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is done.
    Done(Output),
    /// It asks to be tried again, after so long.
    Later { delay: Duration, error: String },
    /// It failed.
    Failed { error: String },
    /// It was ended since the worker ends.
    Stopped,
    /// It was never begun.
    NotBegun,
    /// It is not this worker's any more.
    Lost(Loss),
}

/// Why a job that runs is to end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cause {
    /// It took too long.
    TimedOut(Duration),
    /// The worker ends.
    Stopped,
    /// The worker ends at once.
    Killed,
    /// It is not this worker's any more.
    Lost(Loss),
}

impl Cause {
    /// Whether a job that was done all the same, before it was ended, is done: not if it is not this worker's any more.
    pub(super) fn lets_be_done(self) -> bool {
        !matches!(self, Self::Lost(_))
    }

    /// Whether it may have a moment to end by itself: not where another worker may have the job by now.
    pub(super) fn is_gentle(self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Stopped | Self::Lost(Loss::Cancelled))
    }

    /// What becomes of a job that was ended. `text` is what it said of itself until then.
    pub(super) fn outcome(self, text: &[u8]) -> Outcome {
        match self {
            Self::TimedOut(after) => Outcome::Failed {
                error: error_with_end(&format!("timed out after {} s", after.as_secs_f64()), text),
            },
            Self::Stopped | Self::Killed => Outcome::Stopped,
            Self::Lost(loss) => Outcome::Lost(loss),
        }
    }
}

/// What a job wrote as its result: the beginning of it, up to a little more than can be kept.
#[derive(Debug, Default)]
pub(super) struct Output(pub(super) Vec<u8>);

impl Output {
    /// Whether there is room for more.
    pub(super) fn has_room(&self) -> bool {
        self.0.len() <= MAX_RESULT
    }

    /// The result: JSON as it is, other text as a string without the end of its last line. Nothing if there is none.
    ///
    /// # Errors
    /// It is larger than what is kept.
    pub(super) fn result(&self) -> Result<Option<Box<RawValue>>, TooLarge> {
        let text = String::from_utf8_lossy(&self.0);
        if text.trim().is_empty() && self.has_room() {
            return Ok(None);
        }
        let json = serde_json::from_str(text.trim()).or_else(|_| to_raw_value(text.trim_end_matches(['\n', '\r'])));
        match json {
            Ok(json) if self.has_room() && json.get().len() <= MAX_RESULT => Ok(Some(json)),
            _ => Err(TooLarge),
        }
    }
}

/// A result that cannot be kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// The body of an ack.
#[derive(Serialize)]
pub(super) struct Ack {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<Box<RawValue>>,
}

/// The body of a nack.
#[derive(Serialize)]
pub(super) struct Nack<'a> {
    pub(super) error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delay: Option<f64>,
    /// Only sent where it is false: older servers do not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<bool>,
}

impl<'a> Nack<'a> {
    /// The job failed. It is tried again as its backoff says.
    pub(super) fn failed(error: &'a str) -> Self {
        Self {
            error,
            delay: None,
            failed: None,
        }
    }

    /// The job did not fail: others can have it after so many seconds, or at once.
    pub(super) fn released(error: &'a str, delay: Option<f64>) -> Self {
        Self {
            error,
            delay,
            failed: Some(false),
        }
    }
}

/// What failed, and the end of what was said of it: whole lines of it, if that is too long.
pub(super) fn error_with_end(what: &str, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let said = said.trim();
    if said.is_empty() {
        return what.to_owned();
    }
    let room = MAX_ERROR.saturating_sub(what.len() + 2);
    let end = match said.len().checked_sub(room) {
        None | Some(0) => said,
        Some(over) => {
            let end = said.get(said.ceil_char_boundary(over)..).unwrap_or_default();
            end.split_once('\n').map_or(end, |(_, lines)| lines)
        }
    };
    format!("{what}: {end}")
}

/// What failed, and the beginning of what was said of it.
pub(super) fn error_with_start(what: &str, said: &[u8]) -> String {
    match String::from_utf8_lossy(said).trim() {
        "" => what.to_owned(),
        said => format!("{what}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(text: &str) -> Result<Option<String>, TooLarge> {
        let result = Output(text.as_bytes().to_vec()).result();
        result.map(|json| json.map(|json| json.get().to_owned()))
    }

    #[test]
    fn output_that_is_json_is_the_result_as_it_is_and_other_text_is_a_string() {
        for (text, expected) in [
            ("{\"a\": 1.0}\n", "{\"a\": 1.0}"),
            ("12\n", "12"),
            ("sent to ann\n", r#""sent to ann""#),
            ("12 of 13\nlines\n\n", r#""12 of 13\nlines""#),
        ] {
            assert_eq!(result(text), Ok(Some(expected.to_owned())), "{text}");
        }
        assert_eq!(result(" \n"), Ok(None));
    }

    #[test]
    fn a_result_is_kept_up_to_its_limit_as_json() {
        let fits = "x".repeat(MAX_RESULT - 2);
        assert_eq!(result(&fits), Ok(Some(format!("\"{fits}\""))));
        assert_eq!(result(&format!("{fits}x")), Err(TooLarge));
        assert_eq!(result(&" ".repeat(MAX_RESULT + 1)), Err(TooLarge));
    }

    #[test]
    fn an_error_has_whole_lines_of_the_end_up_to_its_limit() {
        let lines: String = (0..2000).map(|number| format!("line {number} é\n")).collect();
        let error = error_with_end("exit status 1", lines.as_bytes());
        assert!(error.len() <= MAX_ERROR);
        assert!(error.starts_with("exit status 1: line "), "{error}");
        assert!(error.ends_with("\nline 1999 é"), "{error}");
        let one = error_with_end("exit status 1", "é".repeat(5000).as_bytes());
        assert!((MAX_ERROR - 2..=MAX_ERROR).contains(&one.len()));
        assert_eq!(error_with_end("exit status 1", b" \n"), "exit status 1");
    }
}
