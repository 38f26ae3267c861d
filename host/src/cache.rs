//! Where compiled components are kept between starts.
//!
//! What is kept is machine code, which is run as it is. So the folder is its owner's only, and each file has a checksum
//! beside it: wasmtime's own cache takes what can be unpacked, and a file with a few wrong bytes would end the process, or
//! worse. What is broken is thrown away, and compiled anew.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use wasmtime::{Cache, CacheConfig};

/// The files of wasmtime's cache, in the folder.
const CODE: &str = "code";
/// Their checksums, by the same names.
const CHECKSUMS: &str = "checksums";

/// A folder with compiled components.
pub(crate) struct Compiled {
    dir: PathBuf,
    /// Files whose checksums are right, by their paths below `code`.
    checked: BTreeSet<PathBuf>,
}

impl Compiled {
    /// Opens the folder, or makes it, and throws away what is broken in it.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        if dir.is_file() {
            tracing::warn!("{} is no folder: it is made anew", dir.display());
            fs::remove_file(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        let make = |dir: &Path| {
            builder
                .create(dir)
                .with_context(|| format!("cannot make the folder {}", dir.display()))
        };
        make(dir)?;
        fs::set_permissions(dir, Permissions::from_mode(0o700))
            .with_context(|| format!("cannot keep others out of {}", dir.display()))?;
        make(&dir.join(CODE))?;
        let mut compiled = Self {
            dir: dir.to_owned(),
            checked: BTreeSet::new(),
        };
        for file in compiled.files()? {
            if compiled.is_whole(&file) {
                compiled.checked.insert(file);
                continue;
            }
            let path = compiled.dir.join(CODE).join(&file);
            if compiled.dir.join(CHECKSUMS).join(&file).exists() {
                tracing::warn!("{} is broken: it is compiled anew", path.display());
            } else {
                // A start that was cut short, or one that goes on just now.
                tracing::debug!("{} has no checksum: it is compiled anew", path.display());
            }
            discard(&path)?;
        }
        compiled.forget_checksums()?;
        Ok(compiled)
    }

    /// The cache for wasmtime to use.
    pub(crate) fn cache(&self) -> Result<Cache> {
        let mut config = CacheConfig::new();
        config.with_directory(self.dir.join(CODE));
        // Else wasmtime packs a file anew after 256 uses, and its checksum is wrong then.
        config.with_optimized_compression_usage_counter_threshold(u64::MAX);
        Ok(Cache::new(config)?)
    }

    /// Writes the checksums of what was compiled since the folder was opened. One that is missing costs a compilation at
    /// the next start, so errors are told and do not matter.
    pub(crate) fn keep(&self) {
        let keep = || -> Result<()> {
            for file in self.files()? {
                if !self.checked.contains(&file) {
                    self.write_checksum(&file)
                        .with_context(|| format!("{}", file.display()))?;
                }
            }
            Ok(())
        };
        if let Err(error) = keep() {
            tracing::warn!("what was compiled cannot be kept: {error:#}");
        }
    }

    /// wasmtime's files with code: `modules/<compiler>/<hash>`. Those beside them are its own.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let code = self.dir.join(CODE);
        let mut files = Vec::new();
        for compiler in entries(&code.join("modules"))? {
            files.extend(entries(&compiler)?);
        }
        files.retain(|file| file.extension().is_none());
        let relative = |file: &PathBuf| file.strip_prefix(&code).ok().map(Path::to_owned);
        Ok(files.iter().filter_map(relative).collect())
    }

    /// Removes the checksums of files that are gone.
    fn forget_checksums(&self) -> Result<()> {
        let checksums = self.dir.join(CHECKSUMS);
        for compiler in entries(&checksums.join("modules"))? {
            for file in entries(&compiler)? {
                let of = file.strip_prefix(&checksums).unwrap_or(&file);
                if !self.dir.join(CODE).join(of).exists() {
                    // Another host may have been faster.
                    let _ = fs::remove_file(&file);
                }
            }
        }
        Ok(())
    }

    fn is_whole(&self, file: &Path) -> bool {
        let expected = fs::read_to_string(self.dir.join(CHECKSUMS).join(file));
        let found = checksum(&self.dir.join(CODE).join(file));
        matches!((expected, found), (Ok(expected), Ok(found)) if expected == found)
    }

    fn write_checksum(&self, file: &Path) -> Result<()> {
        let path = self.dir.join(CHECKSUMS).join(file);
        let folder = path.parent().context("it has no folder")?;
        fs::create_dir_all(folder)?;
        // In one step, for those that read it at the same time.
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(checksum(&self.dir.join(CODE).join(file))?.as_bytes())?;
        new.persist(path)?;
        Ok(())
    }
}

fn discard(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        // Another host was faster.
        Err(error) if error.kind() != io::ErrorKind::NotFound => bail!("cannot remove {}: {error}", path.display()),
        _ => Ok(()),
    }
}

fn checksum(file: &Path) -> io::Result<String> {
    Ok(format!("{:x}", Sha256::digest(fs::read(file)?)))
}

/// What is in a folder; nothing if there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => bail!("cannot read {}: {error}", folder.display()),
    };
    let paths = entries.map(|entry| Ok(entry?.path()));
    paths
        .collect::<io::Result<_>>()
        .with_context(|| format!("cannot read {}", folder.display()))
}
