//! Where rustup can download nothing: Rust's standard library for the components, from the signed packages of Debian.
//!
//! Debian's `rust-src` of exactly the compiler's version is compiled, and the C library comes compiled from `wasi-libc`.
//! Both are downloaded and unpacked, never installed, from suites that the system itself need not use.

mod build;
mod debian;
mod offers;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::cargo::{WASM, rustc};
use crate::process::{is_on_path, output};
use crate::workspace;

/// A file that marks a target as built here. It is no part of what rustup or a distribution installs.
const MARKER: &str = "built-by-presque-xtask";

/// What the C library's package adds.
const LIBC_FILES: [&str; 3] = ["libc.a", "crt1-command.o", "crt1-reactor.o"];

/// Removes what `install` has put there, and nothing else.
pub(crate) fn remove(sysroot: &Path) -> Result<()> {
    let target = target_folder(sysroot);
    if target.join(MARKER).is_file() {
        remove_if_there(&target)?;
    }
    Ok(())
}

/// Builds the standard library for the compiler in use, whose folder is `sysroot`, and installs it there.
pub(crate) fn install(sysroot: &Path, announce: impl Fn(&str)) -> Result<()> {
    if !is_on_path(&["apt-get"]) {
        bail!("there is no apt-get to download the sources with");
    }
    let target = target_folder(sysroot);
    if fs::read_dir(&target).is_ok_and(|mut files| files.next().is_some()) {
        bail!(
            "{} has files of an installation that does not work: remove it",
            target.display()
        );
    }
    // Before the long work, since it fails where nothing can be written.
    let staging = staging_folder(&target)?;
    announce("from Debian's sources, without rustup");
    let work = workspace::scratch()?.join(WASM);
    // What an interrupted run has left.
    remove_if_there(&work)?;
    fs::create_dir_all(&work)?;
    let filled = fill(&staging, &work);
    remove_if_there(&work)?;
    filled?;
    // At the end, and at once: half a copy is never taken for a whole one. This replaces an empty folder only, which is
    // all that rustup may have left.
    fs::rename(staging.path(), &target).with_context(|| format!("cannot make {}", target.display()))?;
    // It has moved: there is nothing left to remove.
    let _moved = staging.keep();
    Ok(())
}

fn target_folder(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(WASM)
}

/// A folder beside the target's place.
fn staging_folder(target: &Path) -> Result<TempDir> {
    let parent = target.parent().unwrap_or(target);
    tempfile::Builder::new()
        .prefix(".presque-")
        // Other users of the toolchain must be able to read it.
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(parent)
        .with_context(|| format!("cannot write to {}", parent.display()))
}

/// Puts a whole target into the staging folder. Other files go to the folder `work`.
fn fill(staging: &TempDir, work: &Path) -> Result<()> {
    let compiler = output(rustc().arg("--version"))?;
    let Some(version) = compiler.split_whitespace().nth(1) else {
        bail!("`rustc --version` names no version: {compiler}");
    };
    let sources = debian::fetch(version, work)?;
    let lib = staging.path().join("lib");
    let self_contained = lib.join("self-contained");
    fs::create_dir_all(&self_contained)?;
    for file in build::libraries(&sources.library, &work.join("build"))? {
        copy_into(&file, &lib)?;
    }
    for name in LIBC_FILES {
        copy_into(&sources.libc.join(name), &self_contained)?;
    }
    let record = format!("{}\nfor {compiler}", sources.packages);
    fs::write(staging.path().join(MARKER), record)?;
    Ok(())
}

fn copy_into(file: &Path, folder: &Path) -> Result<()> {
    let to = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, &to).with_context(|| format!("cannot copy {} to {}", file.display(), to.display()))?;
    Ok(())
}

fn remove_if_there(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MARKER, remove, staging_folder, target_folder};
    use std::fs;

    #[test]
    fn a_target_is_removed_only_if_it_was_built_here() {
        let sysroot = tempfile::tempdir().unwrap();
        let target = target_folder(sysroot.path());
        fs::create_dir_all(target.join("lib")).unwrap();
        remove(sysroot.path()).unwrap();
        assert!(target.exists());
        fs::write(target.join(MARKER), "").unwrap();
        remove(sysroot.path()).unwrap();
        assert!(!target.exists());
    }

    #[test]
    fn an_abandoned_installation_leaves_nothing() {
        let sysroot = tempfile::tempdir().unwrap();
        let target = target_folder(sysroot.path());
        let parent = target.parent().unwrap();
        fs::create_dir_all(parent).unwrap();
        drop(staging_folder(&target).unwrap());
        assert_eq!(fs::read_dir(parent).unwrap().count(), 0);
    }
}
