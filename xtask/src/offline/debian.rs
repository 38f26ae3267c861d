//! Packages of Debian suites that this system does not use, fetched without touching its apt sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, anyhow, bail};

use super::offers::{Offer, newest, of_upstream, parse_madison, parse_repositories};
use crate::apt::apt;
use crate::process::output;

/// Where to look. The first is the smallest to ask, and has several versions of `rust-src` at once.
const SUITES: [&str; 3] = ["trixie-backports", "forky", "sid"];

/// Debian's keys. The newer name comes second until all suites have it.
const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/// Where `wasi-libc` has the C library for our target.
const LIBC: &str = "usr/lib/wasm32-wasip2";

/// What the two packages hold, unpacked.
pub(super) struct Sources {
    /// The folder with the sources of the standard library.
    pub(super) library: PathBuf,
    /// The folder with the C library.
    pub(super) libc: PathBuf,
    /// What was taken, as `name=version`, for the record.
    pub(super) packages: String,
}

/// Fetches `rust-src` of exactly `version`, and the `wasi-libc` of the same suite, into the folder `work`.
pub(super) fn fetch(version: &str, work: &Path) -> Result<Sources> {
    let repositories = repositories()?;
    let Some(keyring) = KEYRINGS.into_iter().find(|file| Path::new(file).is_file()) else {
        bail!(
            "{} is missing, so nothing from Debian can be trusted: install debian-archive-keyring",
            KEYRINGS[0]
        );
    };
    let mut failure = None;
    for suite in SUITES {
        let apt = PrivateApt::new(&work.join(suite))?;
        let sources: String = repositories
            .iter()
            .map(|uri| format!("deb [signed-by={keyring} target=Packages lang=none] {uri} {suite} main\n"))
            .collect();
        fs::write(apt.folder.join("sources.list"), sources)?;
        // Some repositories are not Debian's and have no such suite. What counts is what the others offer.
        let updated = output(apt.call("apt-get").args(["update", "-oAPT::Update::Error-Mode=any"]));
        let listing = output(apt.call("apt-cache").args(["madison", "rust-src", "wasi-libc"]))?;
        let offers = parse_madison(&listing);
        if let (Some(source), Some(libc)) = (of_upstream(&offers, "rust-src", version), newest(&offers, "wasi-libc")) {
            return apt.unpack(version, source, libc);
        }
        failure = failure.or(updated.err());
    }
    let missing = format!(
        "none of Debian's suites {} on {} has rust-src {version}",
        SUITES.join(", "),
        repositories.join(", ")
    );
    Err(match failure {
        Some(failure) => failure.context(missing),
        None => anyhow!(missing),
    })
}

/// The repositories that this system uses. Release information would be better to choose by, but a system that has
/// never run `apt-get update` has none.
fn repositories() -> Result<Vec<String>> {
    let mut command = apt("apt-get");
    command.args(["indextargets", "--no-release-info"]);
    command.args(["--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]);
    let repositories = parse_repositories(&output(&mut command)?);
    if repositories.is_empty() {
        bail!("apt has no repository to ask: name one of Debian in /etc/apt/sources.list");
    }
    Ok(repositories)
}

/// An apt with lists, cache and sources of its own.
struct PrivateApt {
    folder: PathBuf,
}

impl PrivateApt {
    fn new(folder: &Path) -> Result<Self> {
        for needed in ["lists/partial", "cache/archives/partial", "root"] {
            fs::create_dir_all(folder.join(needed))?;
        }
        let folder = folder.to_owned();
        fs::write(folder.join("apt.conf"), configuration(&folder))?;
        Ok(Self { folder })
    }

    fn call(&self, program: &str) -> Command {
        let mut command = apt(program);
        command.current_dir(&self.folder).arg("--config-file=apt.conf");
        command
    }

    /// Downloads both packages and unpacks what is needed of them.
    fn unpack(&self, version: &str, source: &Offer, libc: &Offer) -> Result<Sources> {
        let library = format!("usr/src/rustc-{version}/library");
        let root = self.folder.join("root");
        let packages = [(source, library.as_str()), (libc, LIBC)];
        for (offer, part) in packages {
            output(self.call("apt-get").args(["download", &offer.to_string()]))?;
            // Not `dpkg -x`: of the 45,000 files in `rust-src` a tenth is needed, and removing them takes longer than
            // all else but the build.
            let mut unpack = Command::new("sh");
            unpack.args([
                "-c",
                r#"dpkg-deb --fsys-tarfile "$1"_*.deb | tar -x -C root "./$2""#,
                "sh",
            ]);
            unpack.args([offer.package.as_str(), part]).current_dir(&self.folder);
            output(&mut unpack)?;
        }
        Ok(Sources {
            library: root.join(&library),
            libc: root.join(LIBC),
            packages: format!("{source} {libc}"),
        })
    }
}

/// The system's hooks look after the system's own lists, and may fail for a user who is not root. Its user for downloads
/// may not be able to reach our folder; what comes is signed.
fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Cache::archives "archives";
APT::Sandbox::User "root";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"#
    )
}
