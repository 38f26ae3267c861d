//! Programs that are not Rust's: found on the PATH, or installed with apt.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::apt::{self, apt, newest, parse_madison};
use crate::process::{capture, find};
use crate::step::{advise, step};

/// A need, and the programs that serve it, the first preferred. Debian's packages have the names of the programs.
pub(crate) struct Need {
    name: &'static str,
    programs: &'static [&'static str],
}

/// A store for the jobs.
pub(crate) const REDIS: Need = Need {
    name: "Redis",
    programs: &["redis-server", "valkey-server"],
};

/// What the documents' command lines use, which a test runs.
pub(crate) const CURL: Need = Need {
    name: "curl",
    programs: &["curl"],
};
pub(crate) const JQ: Need = Need {
    name: "jq",
    programs: &["jq"],
};

/// A browser, in which tests read what browsers are served.
pub(crate) const CHROMIUM: Need = Need {
    name: "Chromium",
    programs: &["chromium", "chromium-browser", "google-chrome"],
};

/// What a package's scripts use to start its service, now and at boot.
const SERVICE_TOOLS: [&str; 4] = ["invoke-rc.d", "deb-systemd-invoke", "deb-systemd-helper", "update-rc.d"];

/// apt's own default for the PATH of the package's scripts.
const SYSTEM_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

impl Need {
    /// Makes sure that one of the programs is there.
    pub(crate) fn ensure(&self) -> Result<()> {
        let Self { name, programs } = self;
        if let Some(program) = find(programs) {
            eprintln!("==> {name}: {}", program.display());
            return Ok(());
        }
        let by_hand = format!("Install {name} such that {} is on the PATH", programs.join(" or "));
        if !apt::is_here() || !is_root()? {
            bail!("{name}: it is not on the PATH, and only root can install it, with apt. {by_hand}");
        }
        advise(step(name, "installing it with apt", || install(programs)), &by_hand)
    }
}

fn is_root() -> Result<bool> {
    Ok(capture(Command::new("id").arg("-u"), None)?.check()?.trim() == "0")
}

fn install(programs: &[&'static str]) -> Result<()> {
    let mut update = None;
    let mut package = candidate(programs)?;
    if package.is_none() {
        update = Some(apt::update(&mut apt("apt-get"))?);
        package = candidate(programs)?;
    }
    let Some(package) = package else {
        if let Some(update) = update {
            update.check()?;
        }
        bail!("apt has none of {}", programs.join(", "));
    };
    let mut installed = install_package(package);
    if installed.is_err() && update.is_none() {
        // Old lists name files that the mirror no longer has.
        apt::update(&mut apt("apt-get"))?.check()?;
        installed = install_package(package);
    }
    installed?;
    if find(programs).is_none() {
        bail!("{package} is installed, but its program is not on the PATH");
    }
    Ok(())
}

/// The package that apt could install.
fn candidate(programs: &[&'static str]) -> Result<Option<&'static str>> {
    let listing = capture(apt("apt-cache").arg("madison").args(programs), None)?.check()?;
    let offers = parse_madison(&listing);
    Ok(programs
        .iter()
        .copied()
        .find(|package| newest(&offers, package).is_some()))
}

/// Installs the package, but not as a service of the system: that would take port 6379, and nobody asked for it.
fn install_package(package: &str) -> Result<()> {
    let stand_ins = tempfile::tempdir()?;
    stand_in_for_service_tools(stand_ins.path())?;
    let mut command = apt("apt-get");
    command.args(["install", "-y", "--no-install-recommends", package]);
    // apt may be busy, as on a system that has just booted.
    command.arg("-oDPkg::Lock::Timeout=120");
    command.args(["-oDpkg::Options::=--force-confdef", "-oDpkg::Options::=--force-confold"]);
    command.arg(format!("-oDPkg::Path={}:{SYSTEM_PATH}", stand_ins.path().display()));
    capture(&mut command, None)?.check()?;
    Ok(())
}

/// Programs that do nothing, for the package's scripts to find first. Unlike a `policy-rc.d`, nobody else finds them,
/// and nothing of the system stays changed when we are interrupted.
fn stand_in_for_service_tools(folder: &Path) -> Result<()> {
    for tool in SERVICE_TOOLS {
        symlink("/bin/true", folder.join(tool))?;
    }
    Ok(())
}
