//! Compiles the standard library. Its few dependencies come from cargo's registry, as ours do: Debian leaves a file out
//! of one of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cargo::{WASM, cargo};
use crate::process::run;

/// The crate whose dependencies are the standard library. It is itself empty.
const CRATE: &str = "empty";

/// Compiles the sources in the folder `library`, and returns the files to install. They are in the folder `work`.
pub(super) fn libraries(library: &Path, work: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(work.join("src"))?;
    fs::write(work.join("src/lib.rs"), "")?;
    // A workspace of its own, since it lies inside ours.
    let manifest = format!("[package]\nname = \"{CRATE}\"\nedition = \"2024\"\n\n[workspace]\n");
    fs::write(work.join("Cargo.toml"), manifest)?;
    let mut command = cargo("build");
    command
        .current_dir(work)
        .args(["--release", "--target", WASM])
        .arg("-Zbuild-std=std,panic_unwind,panic_abort")
        .args(["--target-dir", "target"])
        // The version's own source is what makes this safe on a stable compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", library)
        // Else link-time optimization fails later, since it finds no bitcode.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    run(&mut command)?;
    let mut libraries = Vec::new();
    for entry in fs::read_dir(work.join(format!("target/{WASM}/release/deps")))? {
        libraries.push(entry?.path());
    }
    libraries.retain(|file| is_library(file));
    Ok(libraries)
}

fn is_library(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".rlib") && !name.starts_with(&format!("lib{CRATE}-"))
}

#[cfg(test)]
mod tests {
    use super::is_library;
    use std::path::Path;

    #[test]
    fn only_the_libraries_of_rust_are_installed() {
        assert!(is_library(Path::new("deps/libstd-0123.rlib")));
        assert!(!is_library(Path::new("deps/libstd-0123.rmeta")));
        assert!(!is_library(Path::new("deps/libempty-0123.rlib")));
    }
}
