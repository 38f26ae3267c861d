//! The package: an archive with the command, the components, their manifests, completions, manual pages, and a list of what is in
//! all of it. The same files give the same bytes, whoever packs them, where and when.
//!
//! It has the folders of a Unix prefix, so installing it is copying them: `bin/`, `share/`.

mod archive;
mod manifest;
mod sbom;

pub use archive::{Packed, pack};
pub use sbom::Sbom;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is made of the manifest's folder goes there.
const SHARE: &str = "share/presque";
/// The manifests that are part of it.
const MANIFESTS: [&str; 2] = ["spin.toml", "restmq.toml"];
/// The shells, with the places where they look for completions.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/presque"),
    ("fish", "share/fish/vendor_completions.d/presque.fish"),
    ("zsh", "share/zsh/site-functions/_presque"),
];
/// The digests of all other files, as `sha256sum --check` reads them.
const DIGESTS: &str = "SHA256SUMS";

/// A file of the package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether it is a program.
    pub is_program: bool,
}

/// The files of the package, by their paths.
pub type Files = BTreeMap<String, File>;

/// What the package is made of.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// The folder of the sources, where `spin.toml` is.
    pub root: &'a Path,
    /// The command. It is run, for the completions and the manual pages.
    pub program: &'a Path,
    /// What is in the command and in the components.
    pub sbom: &'a Sbom,
    /// The reference of the API: a page of HTML.
    pub reference: &'a str,
}

impl Parts<'_> {
    /// Makes the files.
    ///
    /// # Errors
    /// Something was not built, or cannot be read.
    pub fn files(&self) -> Result<Files> {
        let mut files = Files::new();
        let mut add = |path: &str, bytes: Vec<u8>, is_program: bool| {
            files.insert(path.to_owned(), File { bytes, is_program });
        };
        add("bin/presque", read(self.program)?, true);
        add("install.sh", self.source("deploy/package/install.sh")?, true);
        add("README.md", self.source("deploy/package/README.md")?, false);
        add("LICENSE", self.source("LICENSE")?, false);
        let doc = "share/doc/presque";
        add(&format!("{doc}/LICENSE"), self.source("LICENSE")?, false);
        add(
            &format!("{doc}/presque.service"),
            self.source("deploy/systemd/presque.service")?,
            false,
        );
        add(&format!("{doc}/sbom.cdx.json"), self.sbom.text()?.into_bytes(), false);
        add(&format!("{doc}/api.html"), self.reference.as_bytes().to_vec(), false);
        add(&format!("{SHARE}/restore.sh"), self.source("deploy/restore.sh")?, true);
        for name in MANIFESTS {
            let text = String::from_utf8(self.source(name)?).with_context(|| format!("{name} is not text"))?;
            let packed = manifest::packed(&text).with_context(|| format!("cannot use {name}"))?;
            add(&format!("{SHARE}/{name}"), packed.text.into_bytes(), false);
            for (path, source) in packed.files {
                add(&format!("{SHARE}/{path}"), self.source(&source)?, false);
            }
        }
        for (shell, path) in COMPLETIONS {
            add(path, output(self.command().args(["completions", shell]))?, false);
        }
        for (name, page) in self.manual()? {
            add(&format!("share/man/man1/{name}"), page, false);
        }
        let digests = digests(&files);
        files.insert(
            DIGESTS.to_owned(),
            File {
                bytes: digests.into_bytes(),
                is_program: false,
            },
        );
        Ok(files)
    }

    /// A call of the command. Its help has values of the environment, which are not to be in the package.
    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.env_clear();
        command
    }

    fn source(&self, path: &str) -> Result<Vec<u8>> {
        read(&self.root.join(path))
    }

    fn manual(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let folder = tempfile::tempdir()?;
        output(self.command().arg("man").arg(folder.path()))?;
        let mut pages = Vec::new();
        for entry in fs::read_dir(folder.path())? {
            let entry = entry?;
            pages.push((entry.file_name().to_string_lossy().into_owned(), read(&entry.path())?));
        }
        ensure!(!pages.is_empty(), "`presque man` writes no pages");
        Ok(pages)
    }
}

/// The components that the manifests name, by their paths in the sources.
///
/// # Errors
/// A manifest cannot be read.
pub fn components(root: &Path) -> Result<Vec<PathBuf>> {
    let mut components = Vec::new();
    for name in MANIFESTS {
        let packed = manifest::packed(&fs::read_to_string(root.join(name))?)?;
        let sources = packed.files.into_values().map(PathBuf::from);
        components.extend(sources.filter(|source| source.extension().is_some_and(|ending| ending == "wasm")));
    }
    components.sort();
    components.dedup();
    Ok(components)
}

/// A line for each file: digest and path.
fn digests(files: &Files) -> String {
    files.iter().fold(String::new(), |mut lines, (path, file)| {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{}  {path}", digest(&file.bytes));
        lines
    })
}

/// The SHA-256 of bytes, in hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}: is it built?", path.display()))
}

/// What a program prints.
fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {}", error.trim());
    Ok(output.stdout)
}
