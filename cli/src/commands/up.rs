//! `presque up`: the local server.

use crate::exit::Exit;
use anyhow::Result;

/// Serves presque on this machine.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Up {
    #[command(flatten)]
    flags: presque_host::Flags,
}

impl Up {
    /// Serves until SIGTERM or Ctrl-C.
    pub(crate) fn run(self) -> Result<Exit> {
        presque_host::serve(&self.flags)?;
        Ok(Exit::Done)
    }
}
