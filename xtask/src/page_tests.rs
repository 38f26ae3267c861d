//! What the cases of `tests/page/` need besides a browser: two packages of npm.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::output;
use crate::workspace;

/// The packages, with their versions and digests.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// The oldest Node.js that runs the cases: major and minor number.
const OLDEST_NODE: [u32; 2] = [18, 15];

/// Installs them in `target/page-tests`, unless they are there in these versions.
///
/// # Errors
/// What npm says; and that Node.js is too old.
pub(crate) fn install() -> Result<()> {
    let node = output(Command::new("node").arg("--version")).context("the cases of the page run in Node.js")?;
    let [major, minor] = OLDEST_NODE;
    ensure!(
        is_new_enough(&node),
        "the cases of the page need Node.js {major}.{minor} or later, and this is {}",
        node.trim()
    );
    let folder = workspace::root().join("target/page-tests");
    let wanted = workspace::root().join("tests/page");
    // npm writes this last, so it is there only when all went well.
    let installed = folder.join("node_modules/.package-lock.json");
    let is_same =
        |file: &&str| matches!((fs::read(wanted.join(file)), fs::read(folder.join(file))), (Ok(a), Ok(b)) if a == b);
    if installed.is_file() && FILES.iter().all(is_same) {
        return Ok(());
    }
    eprintln!("==> Installing Playwright and axe-core in target/page-tests");
    fs::create_dir_all(&folder)?;
    // npm may fail before it removes anything. Then what is there is of other versions than the files say.
    if installed.is_file() {
        fs::remove_file(&installed)?;
    }
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

/// Whether a version, as `node --version` prints it, is not older than [`OLDEST_NODE`].
fn is_new_enough(version: &str) -> bool {
    let numbers = version.trim_start_matches('v').split('.');
    let numbers: Vec<u32> = numbers.map_while(|number| number.trim().parse().ok()).collect();
    numbers[..] >= OLDEST_NODE[..]
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn a_node_before_18_15_is_too_old() {
        for (version, is_new) in [
            ("v18.15.0\n", true),
            ("v20.2.0", true),
            ("v18.14.2", false),
            ("v12.22.12", false),
            ("?", false),
        ] {
            assert_eq!(is_new_enough(version), is_new, "{version}");
        }
    }
}
