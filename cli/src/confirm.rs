//! Asking before something is deleted.

use crate::exit::Exit;
use crate::output::note;
use anyhow::Result;
use std::io::{self, IsTerminal, Write};

/// The flag that answers the question.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Yes {
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

impl Yes {
    /// Whether it is to be done: how to end if not. Without a terminal nobody can be asked, and the flag is needed.
    ///
    /// # Errors
    /// The terminal cannot be read.
    pub(crate) fn refuses(self, question: &str) -> Result<Option<Exit>> {
        if self.yes {
            return Ok(None);
        }
        if !io::stdin().is_terminal() {
            note(format!(
                "error: {question} Nobody can be asked here: confirm it with --yes"
            ));
            return Ok(Some(Exit::Usage));
        }
        write!(io::stderr(), "{question} [y/N] ")?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        let is_yes = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
        if !is_yes {
            note("Nothing was changed.");
        }
        Ok((!is_yes).then_some(Exit::Failed))
    }
}
