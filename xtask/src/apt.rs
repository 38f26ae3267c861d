//! Installing packages with apt.

use std::os::unix::fs::symlink;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::output;

/// What a package's scripts use to start its service, now and at boot.
const SERVICE_TOOLS: [&str; 4] = ["invoke-rc.d", "deb-systemd-invoke", "deb-systemd-helper", "update-rc.d"];

/// apt's own default for the PATH of a package's scripts.
const SCRIPTS_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A call of an apt program: its output is English, and it asks nothing.
pub(crate) fn apt(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Installs the first of these packages that apt has.
pub(crate) fn install_one_of(packages: &[&str]) -> Result<()> {
    if try_install(packages).is_ok() {
        return Ok(());
    }
    // The lists may be missing, or so old that the mirror no longer has the files they name. A repository that does not
    // answer makes this fail, but what the others have can be installed all the same.
    let updated = output(apt("apt-get").args(["update", "-oAPT::Update::Error-Mode=any"]));
    let installed = try_install(packages);
    if installed.is_err() {
        updated?;
    }
    installed
}

fn try_install(packages: &[&str]) -> Result<()> {
    let is_available = |package: &&&str| output(apt("apt-get").args(["install", "--simulate", package])).is_ok();
    match packages.iter().find(is_available) {
        Some(package) => install(package),
        None => bail!("apt can install none of {}", packages.join(", ")),
    }
}

/// Installs a package, but not as a service of the system: that would take port 6379, and nobody asked for it.
fn install(package: &str) -> Result<()> {
    // Programs that do nothing, for the package's scripts to find first. Unlike a `policy-rc.d`, nobody else finds them,
    // and nothing of the system stays changed when we are interrupted.
    let stand_ins = tempfile::tempdir()?;
    for tool in SERVICE_TOOLS {
        symlink("/bin/true", stand_ins.path().join(tool))?;
    }
    let mut command = apt("apt-get");
    command.args(["install", "-y", "--no-remove", "--no-install-recommends", package]);
    // apt may be busy, as on a system that has just booted.
    command.arg("-oDPkg::Lock::Timeout=120");
    command.args(["-oDpkg::Options::=--force-confdef", "-oDpkg::Options::=--force-confold"]);
    command.arg(format!("-oDPkg::Path={}:{SCRIPTS_PATH}", stand_ins.path().display()));
    output(&mut command)?;
    Ok(())
}
