//! Packages of Debian suites that this system does not use, fetched without touching its apt sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::apt::{self, LIMIT, apt, newest, of_upstream, parse_madison};
use crate::process::capture;
use crate::step::note;

/// Where to look. The first is the smallest to ask, and has several versions of `rust-src` at once.
const SUITES: [&str; 3] = ["trixie-backports", "forky", "sid"];

/// Debian's keys. The newer name comes second until all suites have it.
const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/// Where `wasi-libc` has the C library for our target.
pub(crate) const LIBC: &str = "usr/lib/wasm32-wasip2";

/// Where `rust-src` has the source of the standard library.
pub(crate) fn library(version: &str) -> String {
    format!("usr/src/rustc-{version}/library")
}

/// The source of the standard library and the C library for it, unpacked.
pub(crate) struct Unpacked {
    /// Where the files of both packages are, as if it were `/`.
    pub(crate) root: PathBuf,
    /// What was taken, for the record.
    pub(crate) versions: String,
}

/// Fetches `rust-src` of exactly `version`, and the `wasi-libc` of the same suite, into the folder `work`.
pub(crate) fn fetch(version: &str, work: &Path) -> Result<Unpacked> {
    let repositories = apt::repositories()?;
    if repositories.is_empty() {
        bail!("apt has no repository to ask for rust-src {version}");
    }
    let Some(keyring) = KEYRINGS.into_iter().find(|file| Path::new(file).is_file()) else {
        bail!("{} is missing, so nothing from Debian could be trusted", KEYRINGS[0]);
    };
    for suite in SUITES {
        let apt = PrivateApt::new(work, suite)?;
        let sources: String = repositories
            .iter()
            .map(|uri| format!("deb [signed-by={keyring} target=Packages lang=none] {uri} {suite} main\n"))
            .collect();
        fs::write(&apt.sources, sources)?;
        if let Some(packages) = apt.choose(version)? {
            note(&format!("{suite} has {}", packages.join(" and ")));
            let wanted = [("rust-src", library(version)), ("wasi-libc", LIBC.to_owned())];
            return apt.unpack(&packages, wanted);
        }
    }
    bail!("none of {} has rust-src {version}", SUITES.join(", "))
}

/// An apt with lists, cache and sources of its own.
struct PrivateApt {
    suite: &'static str,
    folder: PathBuf,
    config: PathBuf,
    sources: PathBuf,
}

impl PrivateApt {
    fn new(work: &Path, suite: &'static str) -> Result<Self> {
        let folder = work.join(suite);
        for needed in ["lists/partial", "cache/archives/partial", "root"] {
            fs::create_dir_all(folder.join(needed))?;
        }
        let apt = Self {
            suite,
            config: folder.join("apt.conf"),
            sources: folder.join("sources.list"),
            folder,
        };
        fs::write(&apt.config, apt.configuration())?;
        Ok(apt)
    }

    /// The system's hooks look after the system's own lists, and may fail for a user who is not root. Its user for
    /// downloads may not be able to reach our folder; what comes is signed.
    fn configuration(&self) -> String {
        let folder = self.folder.display();
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

    fn call(&self, program: &str) -> Command {
        let mut command = apt(program);
        command.arg(format!("--config-file={}", self.config.display()));
        command.current_dir(&self.folder);
        command
    }

    /// The packages to take from this suite, as `name=version`; `None` when it does not have them.
    fn choose(&self, version: &str) -> Result<Option<Vec<String>>> {
        // Some repositories are not Debian's and have no such suite. What counts is what the others offer.
        let update = apt::update(&mut self.call("apt-get"))?;
        let mut madison = self.call("apt-cache");
        madison.args(["madison", "rust-src", "wasi-libc"]);
        let listing = capture(&mut madison, Some(LIMIT))?.check()?;
        let offers = parse_madison(&listing);
        if offers.is_empty() && !update.succeeded() {
            note(&format!("{}: {}", self.suite, update.failure()));
            update.show();
        }
        let source = of_upstream(&offers, "rust-src", version);
        let Some((source, libc)) = source.zip(newest(&offers, "wasi-libc")) else {
            return Ok(None);
        };
        let named = [source, libc].map(|offer| format!("{}={}", offer.package, offer.version));
        Ok(Some(named.into()))
    }

    fn unpack(&self, packages: &[String], wanted: [(&str, String); 2]) -> Result<Unpacked> {
        let mut download = self.call("apt-get");
        capture(download.arg("download").args(packages), Some(LIMIT))?.check()?;
        let root = self.folder.join("root");
        for entry in fs::read_dir(&self.folder)? {
            let file = entry?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let Some((_, part)) = wanted
                .iter()
                .find(|(package, _)| name.starts_with(&format!("{package}_")))
            else {
                continue;
            };
            // Not `dpkg -x`: of the 45,000 files in `rust-src` a tenth is needed, and removing them takes longer than
            // all else but the build.
            let mut unpack = Command::new("sh");
            unpack.args(["-c", r#"dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" "./$3""#, "sh"]);
            unpack.arg(&file).arg(&root).arg(part);
            capture(&mut unpack, None)?.check()?;
        }
        Ok(Unpacked {
            root,
            versions: packages.join(" "),
        })
    }
}
