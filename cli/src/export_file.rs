//! The file of an export: a line with [`Header`], a line for each job as the interface shows it, a line with [`Trailer`].

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The version of the form.
pub(crate) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Header {
    /// [`VERSION`].
    pub(crate) presque_export: u32,
    /// The queue's name.
    pub(crate) queue: String,
    /// When it began. By it an import knows how long a job has left that expires.
    pub(crate) exported_at: String,
    /// The queue's settings.
    pub(crate) settings: Box<RawValue>,
}

/// The last line: a file without it is not complete.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Trailer {
    /// [`VERSION`].
    pub(crate) presque_export_end: u32,
    /// How many jobs there are.
    pub(crate) jobs: u64,
}

/// A job of the interface as one line. Payloads are kept byte for byte, so they may have line breaks between their values:
/// such a one becomes a text, `payload_text`, which is what the interface itself does with JSON that some cannot read.
///
/// # Errors
/// It is no JSON object.
pub(crate) fn one_line(job: &RawValue) -> Result<Cow<'_, str>> {
    if !job.get().contains(['\n', '\r']) {
        return Ok(Cow::Borrowed(job.get()));
    }
    let members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(job.get()).context("the server answered with a job that is no object")?;
    let mut lines = BTreeMap::new();
    for (name, value) in members {
        match value.get().contains(['\n', '\r']) {
            true => lines.insert(format!("{name}_text"), to_raw_value(value.get())?),
            false => lines.insert(name, value),
        };
    }
    Ok(Cow::Owned(serde_json::to_string(&lines)?))
}
