//! Makes a table of the page's files in `ui/`: each as it is, and compressed.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=ui");
    let (root, out) = (
        PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("ui"),
        PathBuf::from(env::var("OUT_DIR")?),
    );
    let mut table = "[\n".to_owned();
    for path in files(&root)? {
        let contents = fs::read(&path)?;
        let tag = sha1_smol::Sha1::from(&contents).digest().to_string();
        let packed = out.join(&tag);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&contents)?;
        fs::write(&packed, encoder.finish()?)?;
        let name: Vec<_> = path
            .strip_prefix(&root)?
            .iter()
            .map(|part| part.to_string_lossy())
            .collect();
        let name = name.join("/");
        writeln!(
            table,
            "File {{ name: {name:?}, tag: \"\\\"{tag}\\\"\", contents: include_bytes!({path:?}), gzip: include_bytes!({packed:?}) }},"
        )?;
    }
    fs::write(out.join("files.rs"), table + "]")?;
    Ok(())
}

/// The files in a folder, and in those inside of it.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path)?);
        } else {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}
