//! Rust's standard library for Wasm, built from Debian's packages. Its few dependencies come from cargo's registry, as
//! ours do: Debian leaves a file out of one of them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::cargo::{WASM, cargo};
use crate::debian::{self, Unpacked};
use crate::process;
use crate::toolchain::Toolchain;

/// A file that marks a target as made here. It is no part of what rustup or a distribution installs.
pub(crate) const STAMP: &str = "made-by-presque-xtask";

/// What the C library's package adds.
const LIBC_FILES: [&str; 3] = ["libc.a", "crt1-command.o", "crt1-reactor.o"];

/// The crate whose dependencies are the standard library. It is itself empty.
const CRATE: &str = "empty";

/// Builds the standard library for `toolchain` and installs it there.
pub(crate) fn build_and_install(toolchain: &Toolchain, work: &Path) -> Result<()> {
    // First of all, since where nothing can be written nothing needs to be built.
    let staging = staging(toolchain)?;
    let unpacked = debian::fetch(&toolchain.version, work)?;
    let library = unpacked.root.join(debian::library(&toolchain.version));
    let built = build(&library, &work.join(CRATE))?;
    install(toolchain, staging, &built, &unpacked)
}

/// Returns the folder that holds the built libraries.
fn build(library: &Path, crate_folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(crate_folder.join("src"))?;
    fs::write(crate_folder.join("src/lib.rs"), "")?;
    // A workspace of its own, since it lies inside ours.
    let manifest = format!("[package]\nname = \"{CRATE}\"\nedition = \"2024\"\n\n[workspace]\n");
    fs::write(crate_folder.join("Cargo.toml"), manifest)?;
    let mut command = cargo("build");
    command
        .current_dir(crate_folder)
        .args([
            "--release",
            "-Zbuild-std=std,panic_unwind,panic_abort",
            "--target",
            WASM,
        ])
        .arg("--target-dir")
        .arg(crate_folder.join("target"))
        // The version's own source is what makes this safe on a stable compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", library)
        // Else link-time optimization fails later, since it finds no bitcode.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    process::run(&mut command)?;
    Ok(crate_folder.join(format!("target/{WASM}/release/deps")))
}

/// A folder beside the target's place.
fn staging(toolchain: &Toolchain) -> Result<TempDir> {
    let parent = toolchain.rustlib();
    tempfile::Builder::new()
        .prefix(".presque-")
        // Other users of the toolchain must be able to read it.
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(&parent)
        .with_context(|| format!("cannot write to {}", parent.display()))
}

/// Puts everything into the staging folder, and moves that to its place at the end: half a copy is never taken for a
/// whole one.
fn install(toolchain: &Toolchain, staging: TempDir, built: &Path, unpacked: &Unpacked) -> Result<()> {
    let target = toolchain.target_folder();
    let lib = staging.path().join("lib");
    let self_contained = lib.join("self-contained");
    fs::create_dir_all(&self_contained)?;
    for entry in fs::read_dir(built)? {
        let file = entry?.path();
        if is_library(&file) {
            copy_into(&file, &lib)?;
        }
    }
    for name in LIBC_FILES {
        copy_into(&unpacked.root.join(debian::LIBC).join(name), &self_contained)?;
    }
    let record = format!("{}\nfor {}\n", unpacked.versions, toolchain.long_version);
    fs::write(staging.path().join(STAMP), record)?;
    // Replaces an empty folder only, which is all that rustup may have left.
    fs::rename(staging.path(), &target).with_context(|| format!("cannot make {}", target.display()))?;
    // It has moved: there is nothing left to remove.
    let _moved = staging.keep();
    Ok(())
}

fn is_library(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".rlib") && !name.starts_with(&format!("lib{CRATE}-"))
}

fn copy_into(file: &Path, folder: &Path) -> Result<()> {
    let to = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, &to).with_context(|| format!("cannot copy {} to {}", file.display(), to.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_library;
    use std::path::Path;

    #[test]
    fn only_the_libraries_of_rust_are_copied() {
        assert!(is_library(Path::new("deps/libstd-0123.rlib")));
        assert!(!is_library(Path::new("deps/libstd-0123.rmeta")));
        assert!(!is_library(Path::new("deps/libempty-0123.rlib")));
    }
}
