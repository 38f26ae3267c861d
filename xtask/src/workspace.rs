//! Where things are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The component that only tests use.
pub(crate) const TEST_COMPONENT: &str = "presque-host-guest";

/// The workspace's root folder.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The local host, once it is built.
pub(crate) fn host_binary() -> PathBuf {
    root().join("target/native/presque-host")
}

/// A folder for files that outlive one command but are not worth keeping.
pub(crate) fn scratch() -> Result<PathBuf> {
    let folder = root().join(".presque");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The packages of all components.
pub(crate) fn components() -> Result<Vec<String>> {
    let folder = root().join("components");
    let mut folders = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            folders.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(packages_of(folders))
}

/// Sorted, so that cargo is always called with the same words.
fn packages_of(mut folders: Vec<String>) -> Vec<String> {
    folders.sort();
    folders.into_iter().map(|name| format!("presque-{name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::packages_of;

    #[test]
    fn a_component_folder_names_its_package() {
        let folders = vec!["queue".to_owned(), "admin".to_owned()];
        assert_eq!(packages_of(folders), ["presque-admin", "presque-queue"]);
    }
}
