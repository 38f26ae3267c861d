//! The documents, and those whose command lines are run.

use std::fs;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::Command;

/// The documents of the repository, by their paths in it, sorted.
pub fn documents() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for folder in ["", "docs", "deploy"] {
        list(&root, folder, &mut found);
    }
    found.sort();
    found
}

/// Adds the documents in this folder and, but for the root, in those in it.
fn list(root: &Path, folder: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).expect("a folder") {
        let name = entry.expect("a file").file_name().into_string().expect("text");
        let path = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        if root.join(&path).is_dir() && !folder.is_empty() {
            list(root, &path, found);
        } else if Path::new(&path).extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

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
/// standard output, line by line; where it prints headers too (`curl -i`), it must be among that, in that order. Each must succeed:
/// where one is to fail, the document shows its exit code, by `; echo $?`.
///
/// The document calls the server `name`; here it is at `base`. `prepare` sets what the commands need besides.
pub fn run_document(text: &str, folder: &Path, name: &str, base: &str, prepare: impl Fn(&mut Command)) {
    let commands = shown(text);
    assert!(!commands.is_empty(), "the document shows no commands");
    for Shown { command, lines } in commands {
        let line = command.replace(name, base);
        // No pipe: a reader that stays in the background would hold it open.
        let mut errors = tempfile::tempfile().expect("a temporary file");
        let mut shell = Command::new("timeout");
        shell
            .args(["60", "sh", "-c", &line])
            .current_dir(folder)
            .stderr(errors.try_clone().expect("the same file"));
        prepare(&mut shell);
        let output = shell.output().expect("a shell");
        let text = String::from_utf8(output.stdout).expect("text");
        let mut said = Vec::new();
        errors.rewind().expect("a file");
        errors.read_to_end(&mut said).expect("a file");
        let said = String::from_utf8_lossy(&said);
        let mut printed: Vec<&str> = text.lines().map(str::trim_end).collect();
        if command.starts_with("curl -i ") {
            printed.retain(|line| lines.iter().any(|shown| shown == line));
        }
        assert_eq!(printed, lines, "{command}\n{said}");
        assert!(output.status.success(), "{command}: {}\n{said}", output.status);
    }
}
