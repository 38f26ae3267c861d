//! Running other programs.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::{step, workspace};

/// How a program ended, and all that it wrote.
pub(crate) struct Outcome {
    /// What ran, for messages.
    pub(crate) name: String,
    /// `None`: it took too long and was killed.
    pub(crate) status: Option<ExitStatus>,
    /// Standard output and standard error, as they came.
    pub(crate) text: String,
}

impl Outcome {
    /// Whether it ended, and well.
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// The text; when the program failed, shows the text and gives an error.
    pub(crate) fn check(self) -> Result<String> {
        if self.succeeded() {
            return Ok(self.text);
        }
        self.show();
        bail!(self.failure())
    }

    /// Shows what the program wrote.
    pub(crate) fn show(&self) {
        for line in self.text.lines() {
            step::note(line);
        }
    }

    /// What went wrong, in a few words.
    pub(crate) fn failure(&self) -> String {
        match self.status {
            Some(status) => format!("`{}` ended with {status}", self.name),
            None => format!("`{}` took too long and was stopped", self.name),
        }
    }
}

/// Runs a program that the user can watch.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = name(command);
    let status = command.status().with_context(|| format!("cannot run `{name}`"))?;
    if !status.success() {
        bail!("`{name}` ended with {status}");
    }
    Ok(())
}

/// Runs a program without showing its output. It gets nothing to read. Without a limit it may take as long as it wants.
pub(crate) fn capture(command: &mut Command, limit: Option<Duration>) -> Result<Outcome> {
    let name = name(command);
    // A file, unlike a pipe, can be read after the end without waiting for grandchildren that hold it open.
    let mut output = tempfile::tempfile()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .spawn()
        .with_context(|| format!("cannot run `{name}`"))?;
    let status = wait(&mut child, limit)?;
    let mut bytes = Vec::new();
    output.rewind()?;
    output.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Outcome { name, status, text })
}

fn wait(child: &mut Child, limit: Option<Duration>) -> Result<Option<ExitStatus>> {
    let Some(limit) = limit else {
        return Ok(Some(child.wait()?));
    };
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Becomes another program. Returns only when that fails.
pub(crate) fn replace_by(program: &Path, args: &[OsString]) -> anyhow::Error {
    let error = Command::new(program).args(args).current_dir(workspace::root()).exec();
    anyhow!(error).context(format!("cannot run {}", program.display()))
}

/// The first of these programs that is on the PATH.
pub(crate) fn find(programs: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    programs
        .iter()
        .flat_map(|program| folders.iter().map(move |folder| folder.join(program)))
        .find(|file| file.is_file())
}

/// The program and its subcommand: enough to know what ran.
fn name(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name();
    let is_option = |arg: &&OsStr| arg.as_encoded_bytes().starts_with(b"-");
    let args = command
        .get_args()
        .skip_while(is_option)
        .take_while(|arg| !is_option(arg));
    let words: Vec<_> = program.into_iter().chain(args).map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::name;
    use std::process::Command;

    #[test]
    fn a_command_is_named_by_its_program_and_subcommand() {
        let mut command = Command::new("/usr/bin/apt-get");
        command.args(["--config-file=/x", "download", "rust-src=1", "-o", "y"]);
        assert_eq!(name(&command), "apt-get download rust-src=1");
    }
}
