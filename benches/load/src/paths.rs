//! Where things are.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Where things are.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// The folder with the programs: `target/<profile>`.
    pub(crate) programs: PathBuf,
}

impl Paths {
    /// Finds them from where this program stands.
    pub(crate) fn find() -> Result<Self> {
        let program = std::env::current_exe()?;
        let programs = program.parent().context("this program has no folder")?;
        Ok(Self {
            root: Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?,
            programs: programs.to_owned(),
        })
    }

    /// The folder for what is built and for what is measured with.
    pub(crate) fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// The name of the profile that the programs were built with.
    pub(crate) fn profile(&self) -> String {
        let name = self.programs.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The host that is measured.
    pub(crate) fn host(&self) -> PathBuf {
        self.programs.join("presque-host")
    }
}
