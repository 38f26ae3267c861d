//! `presque key`: keys for clients.

use crate::exit::Exit;
use crate::output::{self, Output};
use anyhow::{Result, anyhow};
use clap::{Subcommand, ValueEnum};
use presque::gate::Keys;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Makes keys.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    New(New),
}

/// Makes a key for a client, and the line for the server's variable `keys`. Nothing is sent, and nothing is kept: the key is printed once.
#[derive(Clone, Debug, clap::Args)]
struct New {
    /// What the key is for, with commas between.
    #[arg(long, value_enum, value_delimiter = ',', required = true, value_name = "SCOPE,...")]
    scopes: Vec<Scope>,
    /// Patterns of the queues that it is for, with commas between: * stands for any characters, ? for one [default: all queues].
    #[arg(long, value_name = "PATTERN,...")]
    queues: Option<String>,
    /// What the key is called in the server's log [default: key- and a part of its digest].
    #[arg(long)]
    name: Option<String>,
    /// What the names of its queues begin with in the store, as in acme/. Its holder does not see that.
    #[arg(long, value_name = "ROOT/")]
    root: Option<String>,
    /// A date or time from which on it opens nothing, as in 2027-06-30.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scope {
    /// Put jobs in.
    Insert,
    /// Take jobs and finish them.
    Work,
    /// Look at queues, jobs and workers.
    Read,
    /// Change settings, stop, delete, redrive, cancel.
    Admin,
}

#[derive(Serialize)]
struct Made<'a> {
    key: &'a str,
    line: &'a str,
}

impl Key {
    /// Prints a new key.
    pub(crate) fn run(self, out: Output) -> Result<Exit> {
        let Command::New(new) = self.command;
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
        let key = hexadecimal(&secret);
        let line = new.line(&key);
        // The server's own reader: it opens nothing while a line is wrong.
        if let Err(error) = Keys::parse(&line) {
            output::error(&anyhow!("the key cannot be made so: {error}"));
            return Ok(Exit::Usage);
        }
        if out.json {
            out.value(&Made { key: &key, line: &line })?;
        } else {
            output::note("The key, for the client's PRESQUE_KEY. It is not shown again:");
            out.line(&key)?;
            output::note("The line for the server's variable `keys`:");
            out.line(&line)?;
        }
        Ok(Exit::Done)
    }
}

impl New {
    fn line(&self, key: &str) -> String {
        let digest = hexadecimal(&Sha256::digest(key));
        let name = match &self.name {
            Some(name) => name.clone(),
            None => format!("key-{}", digest.chars().take(8).collect::<String>()),
        };
        let mut scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.name()).collect();
        scopes.dedup();
        let mut line = format!("{name} sha256:{digest} scopes={}", scopes.join(","));
        let words = [
            ("queues", &self.queues),
            ("root", &self.root),
            ("expires", &self.expires),
        ];
        for (word, value) in words {
            if let Some(value) = value {
                line += &format!(" {word}={value}");
            }
        }
        line
    }
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Work => "work",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A String takes everything.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
