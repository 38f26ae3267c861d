//! What all commands share of the command line.

use crate::api::Api;
use crate::output::{ColorChoice, Output};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::PathBuf;

/// Where the server is, who asks, and how the answer is shown.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options of all commands")]
pub(crate) struct Shared {
    /// The server's address.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "PRESQUE_URL",
        default_value = "http://127.0.0.1:3000"
    )]
    pub(crate) url: String,

    /// A file whose text is the key, if the server asks for one. Without it the key is the environment's `PRESQUE_KEY`.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,

    /// Print JSON: one value a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// When to use colours.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: ColorChoice,
}

impl Shared {
    /// A client of the server.
    ///
    /// # Errors
    /// The address or the key cannot be used.
    pub(crate) fn api(&self) -> Result<Api> {
        Api::new(&self.url, self.key()?.as_deref())
    }

    /// How results are printed.
    pub(crate) fn output(&self) -> Output {
        Output::new(self.json, self.color)
    }

    fn key(&self) -> Result<Option<String>> {
        let key = match &self.key_file {
            Some(file) => {
                let key =
                    fs::read_to_string(file).with_context(|| format!("cannot read the key in {}", file.display()))?;
                ensure!(!key.trim().is_empty(), "{} holds no key", file.display());
                Some(key)
            }
            None => std::env::var("PRESQUE_KEY").ok(),
        };
        Ok(key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()))
    }
}
