//! What the cases of `tests/page/` need besides a browser: two packages of npm.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::output;
use crate::workspace;

/// The packages, with their versions and digests.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs them in `target/page-tests`, unless they are there in these versions.
pub(crate) fn install() -> Result<()> {
    let folder = workspace::root().join("target/page-tests");
    let wanted = workspace::root().join("tests/page");
    // npm removes what is there before it installs, so this is there only when all went well.
    let installed = folder.join("node_modules/.package-lock.json");
    let is_same =
        |file: &&str| matches!((fs::read(wanted.join(file)), fs::read(folder.join(file))), (Ok(a), Ok(b)) if a == b);
    if installed.is_file() && FILES.iter().all(is_same) {
        return Ok(());
    }
    eprintln!("==> Installing Playwright and axe-core in target/page-tests");
    fs::create_dir_all(&folder)?;
    for file in FILES {
        fs::copy(wanted.join(file), folder.join(file))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder);
    // The browser is the system's.
    npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    output(&mut npm).context("npm could not install them")?;
    Ok(())
}
