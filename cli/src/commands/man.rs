//! `presque man`: the manual pages, for those who make packages.

use crate::exit::Exit;
use anyhow::{Context as _, Result};
use std::path::PathBuf;

/// Writes the manual pages, one for each command.
#[derive(Clone, Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Man {
    /// The folder for them, which must be there.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

impl Man {
    /// Writes them: `presque.1`, `presque-up.1` and so on.
    pub(crate) fn run(self, all: clap::Command) -> Result<Exit> {
        let cannot = || format!("cannot write the manual pages to {}", self.folder.display());
        clap_mangen::generate_to(all, &self.folder).with_context(cannot)?;
        Ok(Exit::Done)
    }
}
