//! Makes a static of each of the store's Lua scripts, with its keys and its name for EVALSHA.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use presque_script_linker::{link, read, scripts};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/store");
    let (files, mut out) = (read(Path::new("src/store"))?, String::new());
    for path in scripts(&files) {
        // With what led to the error.
        let script = link(path, &files).map_err(|error| format!("{error:#}"))?;
        let name = path.trim_end_matches(".lua").split('/').next_back().unwrap_or_default();
        let (name, source) = (name.to_uppercase(), script.source);
        let sha1 = sha1_smol::Sha1::from(&source).digest();
        let keys: String = script.keys.iter().map(|key| format!("keys::{key}, ")).collect();
        let promises = !script.promises_nothing;
        writeln!(out, "script!({name}, {source:?}, \"{sha1}\", [{keys}], {promises});")?;
    }
    fs::write(format!("{}/scripts.rs", env::var("OUT_DIR")?), out)?;
    Ok(())
}
