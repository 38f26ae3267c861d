//! Where things are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The packages for Wasm that only tests use, besides the components.
pub(crate) const TEST_COMPONENTS: &[&str] = &["presque-example-component", "presque-host-guest", BENCH_COMPONENT];

/// The workspace's root folder.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// What runs natively is built with this profile: quickly.
pub(crate) const NATIVE: &str = "native";

/// The profile of what should be as fast as it can be.
pub(crate) const DIST: &str = "dist";

/// The component that the benchmark has besides those of presque.
pub(crate) const BENCH_COMPONENT: &str = "presque-bench-bare";

/// A program, once it is built with a profile.
pub(crate) fn program(profile: &str, name: &str) -> PathBuf {
    root().join("target").join(profile).join(name)
}

/// A folder for files that outlive one command but are not worth keeping.
pub(crate) fn scratch() -> Result<PathBuf> {
    let folder = root().join(".presque");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The packages of all components, sorted, so that cargo is always called with the same words.
pub(crate) fn components() -> Result<Vec<String>> {
    let folder = root().join("components");
    let mut packages = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            packages.push(format!("presque-{}", entry.file_name().to_string_lossy()));
        }
    }
    packages.sort();
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn a_component_folder_names_its_package() {
        let components = components().unwrap();
        assert!(components.contains(&"presque-queue".to_owned()), "{components:?}");
        assert!(components.is_sorted());
    }
}
