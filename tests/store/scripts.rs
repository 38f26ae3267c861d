//! Scripts are joined from pieces: each has those that it needs, in an order that works, and no other.

use regex_lite::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Scripts that leave pieces out on purpose: they are for requests that do not come to the lines which need them.
const LEAN: [(&str, &[&str]); 2] = [
    (
        "insert.lua",
        &[
            "holder_of",
            "release_overdue",
            "hold",
            "holding",
            "held_by",
            "count_failed",
            "finish_held",
            "with_defaults",
        ],
    ),
    ("fetch.lua", &["finish_held", "lease_out", "lease_for"]),
];

/// The names that a piece defines for those after it, and all that it mentions.
struct Piece {
    defines: BTreeSet<String>,
    mentions: BTreeSet<String>,
}

fn piece(path: &Path) -> Piece {
    let text = std::fs::read_to_string(path).unwrap();
    let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap()).collect();
    let strings = Regex::new("'[^']*'").unwrap();
    let code = strings.replace_all(&code.join("\n"), "''").into_owned();
    let names = Regex::new("[A-Za-z_][A-Za-z_0-9]*").unwrap();
    let locals = Regex::new("(?m)^local (?:function )?([A-Za-z_0-9, ]+)").unwrap();
    let defines = locals
        .captures_iter(&code)
        .flat_map(|found| {
            names
                .find_iter(found.get(1).unwrap().as_str())
                .map(|name| name.as_str().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let mentions = names.find_iter(&code).map(|name| name.as_str().to_owned()).collect();
    Piece { defines, mentions }
}

#[test]
fn every_script_has_the_pieces_that_it_needs_and_no_other() {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut shared = BTreeMap::new();
    for entry in std::fs::read_dir(store.join("shared")).unwrap() {
        let path = entry.unwrap().path();
        shared.insert(path.file_stem().unwrap().to_str().unwrap().to_owned(), piece(&path));
    }
    let all_names: BTreeSet<_> = shared.values().flat_map(|piece| piece.defines.iter()).collect();
    let call = Regex::new(r#"script!\(\s*"(\w+\.lua)"((?:\s*,\s*\w+)*)\s*,?\s*\)"#).unwrap();
    let mut scripts = 0;
    for entry in std::fs::read_dir(&store).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for found in call.captures_iter(&text) {
            let file = &found[1];
            let names: Vec<_> = found[2]
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .collect();
            let own = piece(&store.join(file));
            let lean = LEAN.iter().find(|(lean, _)| *lean == file && !names.contains(&"held"));
            let may_lack = lean.map_or(&[][..], |(_, names)| names);
            check(file, &names, &own, &shared, &all_names, may_lack);
            scripts += 1;
        }
    }
    assert!(scripts > 20, "{scripts} scripts were found");
}

fn check(
    file: &str,
    names: &[&str],
    own: &Piece,
    shared: &BTreeMap<String, Piece>,
    all_names: &BTreeSet<&String>,
    may_lack: &[&str],
) {
    let mut defined: BTreeSet<&String> = BTreeSet::new();
    let pieces = names.iter().map(|name| (*name, &shared[*name]));
    for (name, piece) in pieces.chain([(file, own)]) {
        defined.extend(&piece.defines);
        for mentioned in piece.mentions.iter().filter(|mentioned| all_names.contains(mentioned)) {
            let known = defined.contains(mentioned) || may_lack.contains(&&**mentioned);
            assert!(
                known,
                "{file}: {name} uses {mentioned}, which nothing before it defines"
            );
        }
    }
    for (at, name) in names.iter().enumerate() {
        let later = names[at + 1..].iter().map(|later| &shared[*later]).chain([own]);
        let used = later
            .flat_map(|piece| &piece.mentions)
            .any(|mentioned| shared[*name].defines.contains(mentioned));
        assert!(used, "{file}: nothing uses the piece {name}");
    }
}
