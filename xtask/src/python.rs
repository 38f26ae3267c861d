//! Python environments below `target/`, each with the packages that one command needs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::output;
use crate::workspace;

/// A call of Python.
pub(crate) fn python() -> Command {
    Command::new("python3")
}

/// What an environment is to have.
pub(crate) struct Environment {
    /// What is installed, as messages call it.
    pub(crate) what: &'static str,
    /// Its folder in `target/`.
    pub(crate) folder: &'static str,
    /// The packages with their versions: the file `requirements.txt` of a folder of xtask.
    pub(crate) requirements: &'static str,
}

impl Environment {
    /// The environment's folder. It is made when it is not there, or has other versions.
    pub(crate) fn install(&self) -> Result<PathBuf> {
        let folder = workspace::root().join("target").join(self.folder);
        let installed = folder.join("requirements.txt");
        if fs::read_to_string(&installed).is_ok_and(|installed| installed == self.requirements) {
            return Ok(folder);
        }
        eprintln!("==> Installing {} in target/{}", self.what, self.folder);
        output(python().args(["-m", "venv", "--clear"]).arg(&folder))?;
        // Under another name until all of it is there.
        let wanted = folder.join("wanted.txt");
        fs::write(&wanted, self.requirements)?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--disable-pip-version-check", "-r"]).arg(&wanted);
        output(&mut pip).with_context(|| format!("{} could not be installed with pip", self.what))?;
        fs::rename(&wanted, &installed)?;
        Ok(folder)
    }
}
