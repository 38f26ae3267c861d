//! The directory of a server: one user at a time, its log, its owner.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::{Password, Pauses};

/// The server's log, in its directory.
pub(super) const LOG: &str = "redis.log";
/// The server's password, in its directory.
pub(super) const PASSWORD: &str = "redis.password";
/// The lock file, with the process id of its owner.
const LOCK: &str = "lock";
/// How long to wait for a directory in use: the server of a process that was killed is about to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many lines of the log an error shows.
const LINES: usize = 10;
/// How many bytes of the log those may be.
const TAIL: u64 = 4096;

/// Makes the directory if it is not there. It is its owner's only, also when it was there. Returns it as an absolute path.
pub(super) fn make(dir: &Path) -> Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot make the directory {}", dir.display()))?;
    let dir = dir
        .canonicalize()
        .with_context(|| format!("cannot use the directory {}", dir.display()))?;
    fs::set_permissions(&dir, Permissions::from_mode(0o700))
        .with_context(|| format!("cannot keep others out of the directory {}", dir.display()))?;
    Ok(dir)
}

/// Writes the server's password where its owner can read it, and nobody else.
pub(super) fn note_password(dir: &Path, password: &Password) -> Result<()> {
    let path = dir.join(PASSWORD);
    let write = || {
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        // Before the password is in it: the file may be there, with another mode.
        file.set_permissions(Permissions::from_mode(0o600))?;
        writeln!(file, "{}", password.0)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Takes the directory for one server.
///
/// The lock belongs to the open file, which the server inherits: it is free when both have let go of it.
pub(super) fn lock(dir: &Path) -> Result<File> {
    let path = dir.join(LOCK);
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let start = Instant::now();
    let mut pauses = Pauses::new();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => pauses.pause(),
            Err(TryLockError::WouldBlock) => bail!(in_use(dir, &path)),
            Err(TryLockError::Error(error)) => {
                return Err(anyhow!("cannot lock {}: {error}", path.display()));
            }
        }
    }
    note_owner(&file, std::process::id())?;
    Ok(file)
}

fn in_use(dir: &Path, lock: &Path) -> String {
    let owner = fs::read_to_string(lock).unwrap_or_default();
    let owner = match owner.trim() {
        "" => String::new(),
        pid => format!(" (pid {pid})"),
    };
    format!(
        "{} is in use by another server{owner}; stop it, or use another directory",
        dir.display()
    )
}

/// Writes into the lock file who holds it, for the error message of the next one.
pub(super) fn note_owner(mut lock: &File, pid: u32) -> Result<()> {
    lock.set_len(0)
        .and_then(|()| lock.seek(SeekFrom::Start(0)))
        .and_then(|_| lock.write_all(pid.to_string().as_bytes()))
        .context("cannot write the lock file")
}

/// What a server writes to its log from now on.
pub(super) struct Log {
    path: PathBuf,
    start: u64,
}

impl Log {
    /// Opens the log of a directory at its end.
    pub(super) fn at_end(dir: &Path) -> Result<Self> {
        let path = dir.join(LOG);
        let start = open(dir)?
            .metadata()
            .with_context(|| format!("cannot read {}", path.display()))?
            .len();
        Ok(Self { path, start })
    }

    /// The log of a directory from some lines before its end.
    pub(super) fn near_end(dir: &Path) -> Result<Self> {
        let mut log = Self::at_end(dir)?;
        log.start = log.start.saturating_sub(TAIL);
        Ok(log)
    }

    /// Whether this is among what is new.
    pub(super) fn has(&self, text: &str) -> bool {
        self.read().is_ok_and(|new| new.contains(text))
    }

    /// The last of the new lines.
    pub(super) fn last_lines(&self) -> String {
        let text = match self.read() {
            Ok(text) => text,
            Err(error) => return format!("(cannot read it: {error})"),
        };
        let lines: Vec<&str> = text.trim_end().lines().collect();
        lines
            .get(lines.len().saturating_sub(LINES)..)
            .unwrap_or_default()
            .join("\n")
    }

    fn read(&self) -> io::Result<String> {
        let mut text = Vec::new();
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start))?;
        file.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// The log for writing at its end.
pub(super) fn open(dir: &Path) -> Result<File> {
    let path = dir.join(LOG);
    File::options()
        .append(true)
        .create(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))
}
