//! Input, line by line.

use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// No line is longer: the largest payload that a server can be set to accept has 64 MiB.
const MAX_LINE_BYTES: usize = 65 * 1024 * 1024;

/// A file, or standard input, and where in it we are.
pub(crate) struct Input {
    reader: Box<dyn BufRead + Send>,
    /// What errors call it.
    pub(crate) name: String,
    /// How many bytes there are, if that is known.
    pub(crate) size: Option<u64>,
    /// The last line that was read, counted from 1.
    pub(crate) line: u64,
    /// How many bytes were read.
    pub(crate) bytes: u64,
    /// Whether the last line that was read had its line end.
    pub(crate) has_end: bool,
}

impl Input {
    /// The file; `-` is standard input.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        if is_stdin(path) {
            return Ok(Self::new(
                BufReader::new(io::stdin()),
                "standard input".to_owned(),
                None,
            ));
        }
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let about = file.metadata().with_context(|| format!("cannot read {name}"))?;
        let size = about.is_file().then_some(about.len());
        Ok(Self::new(BufReader::with_capacity(256 * 1024, file), name, size))
    }

    /// What this reader gives.
    pub(crate) fn new(reader: impl BufRead + Send + 'static, name: String, size: Option<u64>) -> Self {
        Self {
            reader: Box::new(reader),
            name,
            size,
            line: 0,
            bytes: 0,
            has_end: false,
        }
    }

    /// The next line, without its end. `None` after the last one.
    ///
    /// # Errors
    /// The input cannot be read, or the line is too long to be a job.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.reader).take(MAX_LINE_BYTES as u64 + 1);
        let read = limited.read_until(b'\n', &mut line);
        let read = read.with_context(|| format!("cannot read {}", self.name))?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        self.bytes += read as u64;
        ensure!(
            line.len() <= MAX_LINE_BYTES,
            "{} is longer than any job may be, {MAX_LINE_BYTES} bytes",
            self.place()
        );
        self.has_end = line.last() == Some(&b'\n');
        if self.has_end {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        Ok(Some(line))
    }

    /// Where the last line stands, for errors.
    pub(crate) fn place(&self) -> String {
        format!("{}, line {}", self.name, self.line)
    }
}

/// Whether the path means standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
