//! Documents whose command lines are run.

use std::path::Path;
use std::process::{Command, Stdio};

/// A command line, and the lines that the document shows below it.
struct Shown {
    command: String,
    lines: Vec<String>,
}

/// The indented blocks of a document whose lines begin with a dollar sign.
fn shown(text: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.strip_prefix("    ") {
            Some(line) if line.starts_with("$ ") => {
                inside = true;
                let (command, lines) = (line[2..].to_owned(), Vec::new());
                all.push(Shown { command, lines });
            }
            Some(line) if inside => all.last_mut().expect("a command").lines.push(line.to_owned()),
            _ => inside = false,
        }
    }
    all
}

/// Runs a document's command lines in a folder, one after the other. What the document shows below one must be what that prints on
/// standard output, line by line; where it prints headers too (`curl -i`), it must be among that, in that order.
///
/// The document calls the server `name`; here it is at `base`. `prepare` sets what the commands need besides.
pub fn run_document(text: &str, folder: &Path, name: &str, base: &str, prepare: impl Fn(&mut Command)) {
    let commands = shown(text);
    assert!(!commands.is_empty(), "the document shows no commands");
    for Shown { command, lines } in commands {
        let line = command.replace(name, base);
        let mut shell = Command::new("timeout");
        shell
            .args(["60", "sh", "-c", &line])
            .current_dir(folder)
            // A reader that stays in the background would hold it open.
            .stderr(Stdio::null());
        prepare(&mut shell);
        let output = shell.output().expect("a shell");
        let text = String::from_utf8(output.stdout).expect("text");
        let mut printed: Vec<&str> = text.lines().map(str::trim_end).collect();
        if command.starts_with("curl -i ") {
            printed.retain(|line| lines.iter().any(|shown| shown == line));
        }
        assert_eq!(printed, lines, "{command}");
    }
}
