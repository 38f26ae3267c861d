//! Rust's standard library for the target of the components: found, fetched by rustup, or built.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cargo::WASM;
use crate::process::{Outcome, capture, find};
use crate::std_build::{self, STAMP};
use crate::step::{advise, note, timed};
use crate::toolchain::{Toolchain, rustc};
use crate::{apt, workspace};

const STEP: &str = "Wasm target";

/// Enough for a slow line, short enough for a person who waits in front of a dead one.
const RUSTUP_LIMIT: Duration = Duration::from_secs(120);

const BY_HAND: &str = "Run `rustup target add wasm32-wasip2` where there is network access, or use a toolchain that \
                       has the target wasm32-wasip2";

/// Makes sure that a component can be built.
pub(crate) fn ensure() -> Result<()> {
    if works()? {
        eprintln!("==> {STEP}: {WASM} is there");
        return Ok(());
    }
    get().context(STEP)
}

fn get() -> Result<()> {
    let scratch = workspace::scratch()?;
    // Two commands at once would build the same thing twice.
    let _lock = lock(&scratch.join("setup.lock"))?;
    if works()? {
        return Ok(());
    }
    let toolchain = Toolchain::find()?;
    advise(remove_ours(&toolchain), "Remove it by hand")?;
    if ask_rustup(&toolchain)? {
        return Ok(());
    }
    advise(build(&toolchain, &scratch.join("wasm-target")), BY_HAND)
}

/// Builds the target in the folder `work`, which is removed afterwards.
fn build(toolchain: &Toolchain, work: &Path) -> Result<()> {
    if !apt::is_here() {
        bail!("it is not installed, and there is no apt-get to build it from Debian's packages");
    }
    // What an interrupted run has left.
    remove_if_there(work)?;
    fs::create_dir_all(work)?;
    timed(STEP, "building the standard library from Debian's packages", || {
        let built = std_build::build_and_install(toolchain, work);
        remove_if_there(work)?;
        built
    })?;
    let probe = probe()?;
    if !probe.succeeded() {
        probe.show();
        bail!("the standard library was built, but does not work");
    }
    Ok(())
}

/// Builds and links a program, which nothing but a whole target of the right version can do, whoever installed it.
fn probe() -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("probe.rs");
    fs::write(
        &source,
        "#[unsafe(no_mangle)]\npub extern \"C\" fn probe() { println!() }\n",
    )?;
    let mut command = rustc();
    command.args(["--edition", "2024", "--crate-type", "cdylib", "--target", WASM]);
    command.arg("-o").arg(folder.path().join("probe.wasm")).arg(&source);
    capture(&mut command, None)
}

fn works() -> Result<bool> {
    Ok(probe()?.succeeded())
}

/// A target that was built here for an older compiler is of no use, and rustup would not install over it.
fn remove_ours(toolchain: &Toolchain) -> Result<()> {
    let folder = toolchain.target_folder();
    if folder.join(STAMP).is_file() {
        remove_if_there(&folder)?;
    }
    Ok(())
}

/// Whether the target works afterwards.
fn ask_rustup(toolchain: &Toolchain) -> Result<bool> {
    if !rustup_manages(toolchain)? {
        return Ok(false);
    }
    let works = timed(STEP, "asking rustup", || {
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", WASM]).current_dir(workspace::root());
        let outcome = capture(rustup.env("RUST_BACKTRACE", "0"), Some(RUSTUP_LIMIT))?;
        if !outcome.succeeded() {
            outcome.show();
            note(&outcome.failure());
        }
        works()
    })?;
    if !works && toolchain.rustup_has_target() {
        bail!(
            "rustup holds {WASM} as installed, but it does not work. Remove the toolchain with rustup and install it \
             again"
        );
    }
    Ok(works)
}

/// Whether the compiler in use is one of rustup's: else it would install the target for another.
fn rustup_manages(toolchain: &Toolchain) -> Result<bool> {
    if find(&["rustup"]).is_none() {
        return Ok(false);
    }
    let mut rustup = Command::new("rustup");
    let outcome = capture(
        rustup.args(["which", "rustc"]).current_dir(workspace::root()),
        Some(RUSTUP_LIMIT),
    )?;
    if !outcome.succeeded() {
        return Ok(false);
    }
    let compiler = Path::new(outcome.text.trim()).canonicalize();
    Ok(compiler.is_ok_and(|file| file.starts_with(&toolchain.sysroot)))
}

fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("==> {STEP}: another command is at it, waiting");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    Ok(file)
}

fn remove_if_there(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}
