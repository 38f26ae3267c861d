//! Running other programs.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use crate::workspace;

/// Shows the command line, and runs it for the user to watch.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    eprintln!("==> {line}");
    let status = command.status().with_context(|| format!("cannot run `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a program unseen, with nothing to read. Returns its standard output; all that it wrote is part of the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = command_line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{line}`"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed ({}):\n{text}{errors}", output.status);
    }
    Ok(text)
}

/// Becomes another program. Returns only when that fails.
pub(crate) fn become_program(program: &Path, args: &[OsString]) -> anyhow::Error {
    let error = Command::new(program).args(args).current_dir(workspace::root()).exec();
    anyhow!(error).context(format!("cannot run {}", program.display()))
}

/// Whether at least one of these programs can be run by its name alone.
pub(crate) fn is_on_path(programs: &[&str]) -> bool {
    programs.iter().any(|program| which::which(program).is_ok())
}

/// What one would type, without the program's folder.
fn command_line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name();
    let words: Vec<_> = program
        .into_iter()
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{command_line, is_on_path, output};
    use std::process::Command;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["clippy", "--profile", "native"]);
        assert_eq!(command_line(&command), "cargo clippy --profile native");
    }

    #[test]
    fn an_error_says_what_ran_how_it_ended_and_all_that_it_wrote() {
        let error = output(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "`sh -c echo out; echo err >&2; exit 3` failed (exit status: 3):\nout\nerr\n"
        );
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let error = output(&mut Command::new("/no/such-program")).unwrap_err();
        assert!(
            format!("{error:#}").starts_with("cannot run `such-program`: No such file"),
            "{error:#}"
        );
    }

    #[test]
    fn any_of_several_programs_is_enough() {
        assert!(is_on_path(&["no-such-program", "sh"]));
        assert!(!is_on_path(&["no-such-program"]));
    }
}
