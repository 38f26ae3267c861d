//! What is printed, and how: results on standard output, all else on standard error.

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// When there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where results go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// JSON, one value a line, instead of text for people.
    pub(crate) json: bool,
    /// Whether standard output has colours.
    pub(crate) is_colored: bool,
}

impl Output {
    /// As the flags say.
    pub(crate) fn new(json: bool, color: ColorChoice) -> Self {
        let is_colored = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
            }
        };
        Self {
            json,
            is_colored: is_colored && !json,
        }
    }

    /// Writes a value as a line of JSON.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(crate) fn value(self, value: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        write(&line)
    }

    /// Writes a line of text.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(crate) fn line(self, text: impl AsRef<str>) -> Result<()> {
        write(format!("{}\n", text.as_ref()).as_bytes())
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<()> {
        write(bytes)
    }

    /// Writes bytes as they are, and the end of the line.
    ///
    /// # Errors
    /// Standard output cannot be written to. So it is when its reader has gone, unlike elsewhere.
    pub(crate) fn bytes_line(self, bytes: &[u8]) -> Result<()> {
        Ok(write_all(&[bytes, b"\n"].concat())?)
    }

    /// The value if JSON is wanted, else the text.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(crate) fn either(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        if self.json {
            self.value(value)
        } else {
            self.line(text())
        }
    }
}

/// All of it at once, so that lines of tasks at the same time do not mix.
fn write_all(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

/// A reader that has gone, as `head` does, ends the command without a word.
fn write(bytes: &[u8]) -> Result<()> {
    match write_all(bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => Ok(written?),
    }
}

/// Tells on standard error why the command ends.
pub(crate) fn error(error: &anyhow::Error) {
    note(format!("error: {error:#}"));
}

/// Tells something on standard error.
pub(crate) fn note(text: impl AsRef<str>) {
    // Nobody is left to tell.
    let _ = writeln!(io::stderr(), "{}", text.as_ref());
}

/// So many jobs, in words.
pub(crate) fn jobs(count: u64) -> String {
    match count {
        1 => "1 job".to_owned(),
        _ => format!("{count} jobs"),
    }
}

/// Text from outside, for a terminal: characters that could steer it are escaped.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let is_plain = !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let (plain, escaped) = match is_plain {
                true => (Some(c), None),
                false => (None, Some(c.escape_unicode())),
            };
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}
