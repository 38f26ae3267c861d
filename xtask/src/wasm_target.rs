//! Rust's standard library for the components: found, installed with rustup, or built from Debian's packages.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use wait_timeout::ChildExt;

use crate::cargo::{WASM, rustc};
use crate::process::output;
use crate::{offline, workspace};

/// Enough for a slow line, short enough for a person who waits in front of a dead one.
const MAX_RUSTUP_TIME: Duration = Duration::from_secs(120);

/// Makes sure that a component can be compiled. `announce` is told how it is made possible, before that is done.
pub(crate) fn ensure(announce: impl Fn(&str)) -> Result<()> {
    if works() {
        return Ok(());
    }
    // Two commands at once would install the same thing twice.
    let _lock = lock(&workspace::scratch()?.join("setup.lock"))?;
    if works() {
        return Ok(());
    }
    let sysroot = PathBuf::from(output(rustc().args(["--print", "sysroot"]))?.trim());
    // What was built for an older compiler is of no use, and rustup would not install over it.
    offline::remove(&sysroot)?;
    if rustup_manages(&sysroot) {
        announce("with rustup");
        if add_with_rustup()? {
            return Ok(());
        }
    }
    offline::install(&sysroot, announce).with_context(|| {
        format!(
            "{WASM} is missing, and could not be built here: run `rustup target add {WASM}` where there is network \
             access, or use a toolchain that has this target"
        )
    })?;
    probe().with_context(|| format!("the standard library for {WASM} was built, but does not work"))
}

/// Whether a component can be compiled.
fn works() -> bool {
    probe().is_ok()
}

/// Builds and links a program, which nothing but a whole target of the right version can do, whoever installed it.
fn probe() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("probe.rs");
    fs::write(
        &source,
        "#[unsafe(no_mangle)]\npub extern \"C\" fn probe() { println!() }\n",
    )?;
    let mut command = rustc();
    command.args(["--edition", "2024", "--crate-type", "cdylib", "--target", WASM]);
    command.arg("-o").arg(folder.path().join("probe.wasm")).arg(&source);
    output(&mut command)?;
    Ok(())
}

/// Whether the compiler in use is one of rustup's: else rustup would install the target for another.
fn rustup_manages(sysroot: &Path) -> bool {
    let mut rustup = Command::new("rustup");
    let compiler = output(rustup.args(["which", "rustc"]).current_dir(workspace::root()));
    compiler.is_ok_and(|path| {
        let file = Path::new(path.trim()).canonicalize();
        file.is_ok_and(|file| file.starts_with(sysroot))
    })
}

/// Whether the target works afterwards. What rustup says of its own failure, it shows itself.
fn add_with_rustup() -> Result<bool> {
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", WASM]).current_dir(workspace::root());
    rustup.env("RUST_BACKTRACE", "0");
    let mut child = rustup.spawn()?;
    let Some(status) = child.wait_timeout(MAX_RUSTUP_TIME)? else {
        child.kill()?;
        child.wait()?;
        eprintln!("`rustup target add {WASM}` was stopped after {MAX_RUSTUP_TIME:?}");
        return Ok(false);
    };
    if status.success() && !works() {
        bail!(
            "rustup holds {WASM} as installed, but a program does not compile with it: uninstall the toolchain with \
             rustup, and install it again"
        );
    }
    Ok(status.success())
}

fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
    if file.try_lock().is_err() {
        eprintln!("==> Waiting for another `cargo xtask` to install {WASM}");
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}
