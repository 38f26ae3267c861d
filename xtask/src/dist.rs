//! The package of this machine: what users install.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use presque_package::{Parts, Sbom, components, pack};

use crate::cargo;
use crate::process::output;
use crate::reference;
use crate::workspace::{self, DIST, NATIVE};

/// How the package is made.
#[derive(Args)]
pub(crate) struct Flags {
    /// How the command is built.
    #[arg(long, value_enum, default_value_t = Profile::Dist)]
    profile: Profile,
    /// Build the components a second time, in another folder, and compare the bytes.
    #[arg(long)]
    check: bool,
    /// The tag of the release, which must be `v` and the version. Another one ends this before anything is built.
    #[arg(long)]
    tag: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Profile {
    /// As fast as it can be. Takes many minutes.
    Dist,
    /// Built quickly, as for tests.
    Native,
}

/// Builds all that is in the package, and writes that to `target/dist/`, with a file that has its digest.
pub(crate) fn dist(flags: &Flags) -> Result<()> {
    if let Some(tag) = &flags.tag {
        check_tag(tag)?;
    }
    let profile = match flags.profile {
        Profile::Dist => DIST,
        Profile::Native => NATIVE,
    };
    cargo::build_components(&[])?;
    if flags.check {
        compare_components()?;
    }
    cargo::build_command(profile)?;
    let (root, target) = (workspace::root(), target()?);
    let sbom = Sbom::of(&cargo::program(), root, &workspace::components()?)?;
    let program = workspace::program(profile, "presque");
    let files = Parts {
        root,
        program: &program,
        sbom: &sbom,
        reference: &reference::make()?,
    }
    .files()?;
    let name = format!("presque-{}-{target}", env!("CARGO_PKG_VERSION"));
    let packed = pack(&files, &name, time()?)?;
    let folder = root.join("target/dist");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.tar.gz"));
    fs::write(&path, &packed.bytes).with_context(|| format!("cannot write {}", path.display()))?;
    fs::write(
        folder.join(format!("{name}.tar.gz.sha256")),
        format!("{}  {name}.tar.gz\n", packed.digest),
    )?;
    eprintln!("==> {} ({:.1} MB)", path.display(), packed.bytes.len() as f64 / 1e6);
    Ok(())
}

/// Fails where a tag is not that of this version.
fn check_tag(tag: &str) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    ensure!(
        tag == format!("v{version}"),
        "the tag is {tag}, but Cargo.toml has the version {version}: its tag is v{version}"
    );
    Ok(())
}

/// What rustc calls the machines like this one.
fn target() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let version = output(Command::new(rustc).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say for which machines it is")?.to_owned())
}

/// When the files of the package were changed, in seconds since 1970: as the environment says, else at the last commit.
fn time() -> Result<u64> {
    let text = match env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => {
            let mut git = Command::new("git");
            git.args(["log", "-1", "--format=%ct"]).current_dir(workspace::root());
            output(&mut git).context("SOURCE_DATE_EPOCH says at which time, where there is no git")?
        }
    };
    text.trim()
        .parse()
        .with_context(|| format!("{} is not a number of seconds", text.trim()))
}

/// Builds the components of the same sources in another folder, and compares them with those that were built here.
fn compare_components() -> Result<()> {
    let root = workspace::root();
    let copy = tempfile::tempdir()?;
    let files = output(Command::new("git").args(["ls-files", "-z"]).current_dir(root))?;
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        let to = copy.path().join(file);
        fs::create_dir_all(to.parent().unwrap_or(copy.path()))?;
        fs::copy(root.join(file), to).with_context(|| format!("cannot copy {file}"))?;
    }
    cargo::build_components_in(copy.path(), &[])?;
    let read = |root: &Path, path: &Path| {
        let path = root.join(path);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    for path in components(root)? {
        let is_same = read(root, &path)? == read(copy.path(), &path)?;
        ensure!(
            is_same,
            "{} has other bytes when it is built in another folder",
            path.display()
        );
        eprintln!("==> {} has the same bytes, built in another folder", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_tag;

    #[test]
    fn a_release_has_the_tag_of_its_version() {
        let version = env!("CARGO_PKG_VERSION");
        assert!(check_tag(&format!("v{version}")).is_ok());
        for tag in [version, "v999.0.0", "", &format!("v{version}-1")] {
            let said = check_tag(tag).err().map(|error| error.to_string());
            assert_eq!(
                said,
                Some(format!(
                    "the tag is {tag}, but Cargo.toml has the version {version}: its tag is v{version}"
                ))
            );
        }
    }
}
