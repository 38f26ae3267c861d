//! The documents show files as they are.

use super::{read, root};
use crate::support::documents;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A block in a fence: what stands behind the backticks, the number of its first line, and its text.
struct Block {
    info: String,
    line: usize,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (number, line) in read(document).lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), is_open) {
            (Some(info), false) => {
                let (info, line, text) = (info.to_owned(), number + 2, String::new());
                blocks.push(Block { info, line, text });
                is_open = true;
            }
            (Some(_), true) => is_open = false,
            (None, true) => blocks.last_mut().unwrap().text += &format!("{line}\n"),
            (None, false) => {}
        }
    }
    assert!(!is_open, "{document}: a block does not end");
    blocks
}

#[test]
fn a_block_that_names_a_file_has_its_text() {
    let mut seen = BTreeSet::new();
    for document in documents() {
        for Block { info, line, text } in blocks(&document) {
            if let Some((_, path)) = info.split_once(' ') {
                assert!(text == read(path), "{document}:{line} is not as {path} is");
                seen.insert(path.to_owned());
            }
        }
    }
    let folder = fs::read_dir(root().join("examples/v1")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // Rust has no client in its standard library.
    for name in names.filter(|name| !name.ends_with(".rs")) {
        let path = format!("examples/v1/{name}");
        assert!(seen.contains(&path), "no document shows {path}");
    }
}

#[test]
fn a_block_in_a_fence_says_what_language_it_is() {
    for document in documents() {
        for Block { info, line, .. } in blocks(&document) {
            assert!(!info.is_empty(), "{document}:{line}");
        }
    }
}

/// The targets of a document's links, without what is outside of the repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).collect()
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    for document in documents() {
        let folder = Path::new(&document).parent().unwrap();
        for link in links(&read(&document)) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                Path::new(&document).into()
            } else {
                folder.join(path)
            };
            let full = root().join(&target);
            assert!(full.exists(), "{document}: {link}");
            if !heading.is_empty() {
                let text = fs::read_to_string(full).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#'));
                let has_it = headings
                    .map(|line| anchor(line.trim_start_matches(['#', ' '])))
                    .any(|one| one == heading);
                assert!(has_it, "{document}: {link}");
            }
        }
    }
}

#[test]
fn every_file_to_deploy_with_is_linked_where_its_use_is_told() {
    fn list(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                list(&path, found);
            } else {
                found.push(path.canonicalize().unwrap());
            }
        }
    }
    let mut linked = BTreeSet::new();
    for document in ["docs/deploy.md", "docs/install.md", "docs/maintenance.md"] {
        let text = read(document);
        let paths = links(&text).into_iter().filter_map(|link| link.split('#').next());
        linked.extend(paths.filter_map(|path| root().join("docs").join(path).canonicalize().ok()));
    }
    let mut files = Vec::new();
    list(&root().join("deploy"), &mut files);
    assert!(files.len() > 10, "{files:?}");
    // The folder's own index.
    files.retain(|file| !file.ends_with("deploy/README.md"));
    files.retain(|file| !linked.contains(file));
    assert!(files.is_empty(), "no link leads to {files:?}");
}

#[test]
fn the_messages_that_people_look_up_are_those_that_are_printed() {
    let sources = sources();
    // Only what stands in a row's first cell, and reads like a sentence: names of members and routes are told elsewhere.
    let rows = read("docs/troubleshooting.md");
    let first = rows
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let messages = first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|text| text.contains(' '));
    let mut seen = 0;
    for message in messages {
        for part in message.split('…').map(str::trim) {
            assert!(sources.contains(part), "nothing prints {part:?}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

/// All that can print a message, with the line breaks in its texts taken out.
fn sources() -> String {
    fn add(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, text);
            } else if let Ok(file) = fs::read_to_string(&path) {
                *text += &file.replace("\\\n", "\n");
            }
        }
    }
    let mut text = String::new();
    for folder in ["src", "host/src", "components/dashboard/ui"] {
        add(&root().join(folder), &mut text);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
