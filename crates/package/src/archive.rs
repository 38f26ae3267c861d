//! Files in an archive: `.tar.gz`.

use crate::{Files, digest};
use anyhow::Result;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

/// An archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its SHA-256, in hexadecimal.
    pub digest: String,
}

/// Packs the files into a folder of this name. They are sorted, belong to root, and were all changed at this time (seconds since
/// 1970): nothing tells where, when and by whom they were packed.
///
/// # Errors
/// A path is too long for the format.
pub fn pack(files: &Files, folder: &str, time: u64) -> Result<Packed> {
    // Without a name and a time of its own.
    let gzip = GzBuilder::new().write(Vec::new(), Compression::default());
    let mut builder = Builder::new(gzip);
    for (path, file) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(file.bytes.len().try_into()?);
        header.set_mode(if file.is_program { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(time);
        builder.append_data(&mut header, format!("{folder}/{path}"), file.bytes.as_slice())?;
    }
    let bytes = builder.into_inner()?.finish()?;
    let digest = digest(&bytes);
    Ok(Packed { bytes, digest })
}
