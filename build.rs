//! Makes the store's Lua scripts, and the list of keys of each.
//!
//! A file of `src/store/lua/` is shared; any other `.lua` file below `src/store/` is a script. The header of a file says what
//! its code uses: `-- @keys META, JOBS` the keys, `-- @include job, clock` the shared files. Of these a script gets the
//! definitions that it uses, directly or through others, and the keys that they use, no others: Redis makes all functions of
//! a script anew each time it runs. A key marked `?` may be absent, so it comes last; `...` is a list of keys, and the only one.

use std::collections::{BTreeMap, BTreeSet};
use std::{env, fmt::Write, fs};

/// Files by their paths below `src/store/`.
pub type Files = BTreeMap<String, File>;

/// A file, taken apart.
pub struct File {
    keys: Vec<String>,
    /// The paths of the shared files that it includes.
    includes: Vec<String>,
    /// Its code in parts, each with the names that it defines for what follows.
    parts: Vec<(Vec<String>, String)>,
}

impl File {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Self {
        let list = |names: &str| names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
        let header = |tag| text.lines().filter_map(move |line| line.strip_prefix(tag));
        let includes = header("-- @include ").flat_map(list);
        let mut parts = vec![(Vec::new(), String::new())];
        for line in text.lines().filter(|line| !line.trim_start().starts_with("--")) {
            if let Some(rest) = line.strip_prefix("local ") {
                let names = rest.trim_start_matches("function ").split(['=', '(']).next();
                parts.push((list(names.unwrap_or_default()), String::new()));
            }
            if let (Some((_, code)), false) = (parts.last_mut(), line.is_empty()) {
                code.extend([line.trim_start(), "\n"]);
            }
        }
        Self {
            keys: header("-- @keys ").flat_map(list).collect(),
            includes: includes.map(|name| format!("lua/{name}.lua")).collect(),
            parts,
        }
    }

    fn defines(&self, name: &str) -> bool {
        self.parts.iter().any(|(names, _)| names.iter().any(|own| own == name))
    }

    /// Holds the file to its header.
    fn check(&self, files: &Files) -> Result<(), String> {
        let used: BTreeSet<_> = self.parts.iter().flat_map(|(_, code)| names_in(code)).collect();
        if let Some(key) = self.keys.iter().find(|key| !used.contains(unmarked(key))) {
            return Err(format!("the key {key} is declared and not used"));
        }
        for include in &self.includes {
            let file = files.get(include).ok_or(format!("there is no {include} to include"))?;
            if !used.iter().any(|name| file.defines(name)) {
                return Err(format!("{include} is included and not used"));
            }
        }
        for name in used.into_iter().filter(|name| !self.defines(name)) {
            let mut shared = files.iter().filter(|(path, _)| path.starts_with("lua/"));
            let home = shared.find(|(_, file)| file.defines(name)).map(|(path, _)| path);
            let is_known = self.keys.iter().any(|key| unmarked(key) == name) || name == "KEYS" || name == "ARGV";
            if let Some(home) = home.filter(|home| !self.includes.contains(home)) {
                return Err(format!("{name} is used, and {home} is not included"));
            } else if name.starts_with(char::is_uppercase) && !is_known && home.is_none() {
                return Err(format!("{name} is used, and neither defined nor declared as a key"));
            }
        }
        Ok(())
    }
}

/// A key's name without its mark.
fn unmarked(key: &str) -> &str {
    key.trim_end_matches(['?', '.'])
}

/// The names in a piece of code, without fields and strings.
fn names_in(code: &str) -> BTreeSet<&str> {
    let is_between = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.';
    let words = code.split('\'').step_by(2).flat_map(|code| code.split(is_between));
    words.filter_map(|word| word.split('.').next()).collect()
}

/// Adds a file to `all`, behind those that it includes. `open` are the files that lead to it.
fn add<'a>(path: &'a str, files: &'a Files, open: &[&str], all: &mut Vec<&'a str>) -> Result<(), String> {
    let (file, open) = (&files[path], [open, &[path]].concat());
    file.check(files).map_err(|error| format!("{path}: {error}"))?;
    for include in &file.includes {
        if open.contains(&include.as_str()) {
            return Err(format!("{} -> {include}: files include each other", open.join(" -> ")));
        }
        add(include, files, &open, all)?;
    }
    if !all.contains(&path) {
        all.push(path);
    }
    Ok(())
}

/// The whole source of the script at this path, and its keys in the order in which it gets them.
///
/// # Errors
/// What is wrong with the script, or with a file that it includes.
pub fn resolve(path: &str, files: &Files) -> Result<(String, Vec<String>), String> {
    let (mut all, mut used, mut source) = (Vec::new(), BTreeSet::new(), String::new());
    add(path, files, &[], &mut all)?;
    // Backwards, since a definition stands before what uses it.
    for (from, file) in all.iter().map(|from| (*from, &files[*from])).rev() {
        for (names, code) in file.parts.iter().rev() {
            if from == path || names.iter().any(|name| used.contains(name.as_str())) {
                used.extend(names_in(code));
                source.insert_str(0, code);
            }
        }
    }
    let declared = all.iter().flat_map(|from| &files[*from].keys);
    let needed = declared.filter(|key| used.contains(unmarked(key)));
    let keys: BTreeSet<_> = needed.map(|key| (unmarked(key) != key, key)).collect();
    let names: Vec<_> = keys.iter().map(|(_, key)| unmarked(key).to_owned()).collect();
    let values = match (keys.iter().any(|(_, key)| key.ends_with("...")), keys.len()) {
        (true, 1) => "KEYS",
        (true, _) => return Err(format!("{path}: a list of keys must be the only key")),
        (false, _) => "unpack(KEYS)",
    };
    source.insert_str(0, &format!("local {} = {values}\n", names.join(", ")));
    Ok((source, names))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/store");
    let (mut files, mut out) = (Files::new(), String::new());
    for path in glob::glob("src/store/*/*.lua")? {
        let path = path?;
        let name = path.strip_prefix("src/store")?.to_string_lossy().into_owned();
        files.insert(name, File::parse(&fs::read_to_string(&path)?));
    }
    for path in files.keys().filter(|path| !path.starts_with("lua/")) {
        let (source, keys) = resolve(path, &files)?;
        let name = path.trim_end_matches(".lua").split('/').next_back().unwrap_or_default();
        let (name, sha1) = (name.to_uppercase(), sha1_smol::Sha1::from(&source).digest());
        let keys: String = keys.iter().map(|key| format!("keys::{key}, ")).collect();
        writeln!(out, "script!({name}, {source:?}, \"{sha1}\", [{keys}]);")?;
    }
    fs::write(format!("{}/scripts.rs", env::var("OUT_DIR")?), out)?;
    Ok(())
}
