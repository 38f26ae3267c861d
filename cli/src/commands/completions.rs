//! `presque completions`: what a shell needs to complete command lines.

use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use clap::ValueEnum;
use clap_complete::Shell;

/// Prints the completions of a shell, to be read by it.
///
/// A package has them where shells look for them: this is for other places. For bash: `source <(presque completions bash)`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: For,
}

/// The shells that are supported.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum For {
    Bash,
    Fish,
    Zsh,
}

impl Completions {
    /// Prints them.
    pub(crate) fn run(self, all: &mut clap::Command, out: Output) -> Result<Exit> {
        let shell = match self.shell {
            For::Bash => Shell::Bash,
            For::Fish => Shell::Fish,
            For::Zsh => Shell::Zsh,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, all, "presque", &mut script);
        out.line(String::from_utf8(script)?.trim_end())?;
        Ok(Exit::Done)
    }
}
