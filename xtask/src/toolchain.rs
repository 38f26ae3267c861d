//! The Rust compiler in use, and where it keeps its targets.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::cargo::WASM;
use crate::process::capture;
use crate::workspace;

/// The Rust compiler in use.
pub(crate) struct Toolchain {
    pub(crate) sysroot: PathBuf,
    /// Such as `1.95.0`.
    pub(crate) version: String,
    /// Such as `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub(crate) long_version: String,
}

impl Toolchain {
    pub(crate) fn find() -> Result<Self> {
        let long_version = capture(rustc().arg("--version"), None)?.check()?.trim().to_owned();
        let Some(version) = long_version.split_whitespace().nth(1) else {
            bail!("`rustc --version` names no version: {long_version}");
        };
        let sysroot = capture(rustc().args(["--print", "sysroot"]), None)?.check()?;
        Ok(Self {
            sysroot: PathBuf::from(sysroot.trim()),
            version: version.to_owned(),
            long_version,
        })
    }

    /// The folder of all targets.
    pub(crate) fn rustlib(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib")
    }

    /// The folder of the Wasm target.
    pub(crate) fn target_folder(&self) -> PathBuf {
        self.rustlib().join(WASM)
    }

    /// Whether rustup holds the target as installed.
    pub(crate) fn rustup_has_target(&self) -> bool {
        fs::read_to_string(self.rustlib().join("components"))
            .is_ok_and(|list| list.lines().any(|line| line == format!("rust-std-{WASM}")))
    }
}

/// A call of the compiler, in the workspace's root.
pub(crate) fn rustc() -> Command {
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc")));
    command.current_dir(workspace::root());
    command
}
