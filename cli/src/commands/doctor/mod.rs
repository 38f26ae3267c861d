//! `presque doctor`: what is wrong, and how to mend it.

mod queues;
mod server;

use crate::api::Api;
use crate::exit::Exit;
use crate::output::{Output, printable};
use anyhow::Result;
use crossterm::style::Stylize;
use serde::Serialize;

/// Looks for what is wrong: whether the server and its store can be reached, what is unsafe, which queues do not move.
///
/// Each line is ok, a warning or an error, and says how to mend it. The exit code is 1 if there is an error.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Doctor {}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Error,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    check: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            check,
            text: text.into(),
            mend: None,
        }
    }

    fn warning(check: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            check,
            text: text.into(),
            mend: Some(mend.into()),
        }
    }

    fn error(check: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            ..Self::warning(check, text, mend)
        }
    }

    fn text(&self, is_colored: bool) -> String {
        let level = match self.level {
            Level::Ok => "ok     ",
            Level::Warning => "warning",
            Level::Error => "error  ",
        };
        let level = match self.level {
            _ if !is_colored => level.to_owned(),
            Level::Ok => level.green().to_string(),
            Level::Warning => level.yellow().to_string(),
            Level::Error => level.red().to_string(),
        };
        let mut text = format!("{level}  {:<8}  {}", self.check, printable(&self.text));
        if let Some(mend) = &self.mend {
            text += &format!("\n                   -> {}", printable(mend));
        }
        text
    }
}

impl Doctor {
    /// Prints what was found.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let mut findings = server::look(api).await;
        if findings
            .iter()
            .all(|finding| finding.level != Level::Error || finding.check == "access")
        {
            findings.extend(queues::look(api).await);
        }
        for finding in &findings {
            out.either(finding, || finding.text(out.is_colored))?;
        }
        let is_error = findings.iter().any(|finding| finding.level == Level::Error);
        Ok(if is_error { Exit::Failed } else { Exit::Done })
    }
}
