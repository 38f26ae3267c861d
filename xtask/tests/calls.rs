//! How the commands call cargo and apt: seen by programs that stand in for these, and write down what they were given.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected fails"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A folder with programs that stand in for others.
struct StandIns(TempDir);

impl StandIns {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A program that writes down its arguments, and then runs these lines of shell.
    fn add(&self, name: &str, then: &str) -> PathBuf {
        let path = self.0.path().join(name);
        let calls = self.0.path().join("calls");
        let script = format!("#!/bin/sh\necho \"{name} $*\" >> '{}'\n{then}\n", calls.display());
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.0.path().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

fn xtask(arg: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg(arg);
    command
}

#[test]
fn every_call_of_cargo_keeps_to_the_versions_of_the_lock_file() {
    for arg in ["build", "dist", "lint"] {
        let programs = StandIns::new();
        let cargo = programs.add("cargo", "");
        let output = xtask(arg).env("CARGO", cargo).output().unwrap();
        let calls = programs.calls();
        let said = String::from_utf8_lossy(&output.stderr);
        // The program that stands in for cargo tells nothing of the crates, so the list of what is in the package cannot be made.
        let is_done = output.status.success() || (arg == "dist" && said.contains("cargo tree says nothing"));
        assert!(is_done && !calls.is_empty(), "{arg}: {calls:?} {said}");
        for call in &calls {
            // It builds nothing.
            let is_format = call.starts_with("cargo fmt ");
            assert!(call.contains(" --locked") || is_format, "{arg}: {call}");
        }
    }
}

#[test]
fn apt_removes_nothing_and_is_not_asked_to_install_more_than_is_needed() {
    let programs = StandIns::new();
    programs.add("apt-get", "");
    programs.add("id", "echo 0");
    let rustc = which::which("rustc").unwrap();
    symlink(&rustc, programs.0.path().join("rustc")).unwrap();
    let output = xtask("setup")
        .env("PATH", programs.0.path())
        .env("RUSTC", rustc)
        .output()
        .unwrap();
    // Nothing was installed, which is told.
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Redis was installed, but"), "{said}");
    let calls = programs.calls();
    let installs: Vec<_> = calls
        .iter()
        .filter(|call| call.starts_with("apt-get install ") && !call.contains("--simulate"))
        .collect();
    assert_eq!(installs.len(), 1, "{calls:?}");
    for word in [" --no-remove ", " --no-install-recommends "] {
        assert!(installs.iter().all(|call| call.contains(word)), "{word}: {installs:?}");
    }
}

#[test]
fn the_alias_that_people_type_keeps_to_the_lock_file_too() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let config = fs::read_to_string(root.join(".cargo/config.toml")).unwrap();
    assert!(config.contains("xtask = \"run --locked "), "{config}");
    for manifest in ["spin.toml", "restmq.toml", "examples/component/spin.toml"] {
        let text = fs::read_to_string(root.join(manifest)).unwrap();
        let builds: Vec<_> = text.lines().filter(|line| line.starts_with("command = ")).collect();
        assert!(!builds.is_empty(), "{manifest}");
        assert!(
            builds.iter().all(|line| line.contains("--locked")),
            "{manifest}: {builds:?}"
        );
    }
}
