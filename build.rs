//! Makes the store's Lua scripts, and the list of keys of each.
//!
//! A file of `src/store/lua/` is shared; any other `.lua` file below `src/store/` is a script. The header of a file says what
//! its code uses: `-- @keys META, JOBS` the keys, `-- @include job, clock` the shared files. Of these a script gets the
//! definitions that it uses, directly or through others, and the keys that they use, no others: Redis makes all functions of
//! a script anew each time it runs. A key marked `?` may be absent, so it comes last; `...` is a list of keys, and the only one.
//!
//! `-- @rare` above a function says that most runs do not call it. What it alone needs is then defined inside it, and so is
//! made only when it is called.

use std::collections::{BTreeMap, BTreeSet};
use std::{env, fmt::Write, fs};

/// Files by their paths below `src/store/`.
pub type Files = BTreeMap<String, File>;

/// A file, taken apart.
pub struct File {
    keys: Vec<String>,
    /// The paths of the shared files that it includes.
    includes: Vec<String>,
    /// Its code in parts.
    parts: Vec<Part>,
}

/// A piece of code.
#[derive(Default)]
struct Part {
    /// The names that it defines for what follows.
    names: Vec<String>,
    code: String,
    /// Whether it is a function that most runs do not call.
    is_rare: bool,
}

impl Part {
    fn is_function(&self) -> bool {
        self.code.starts_with("local function")
    }

    fn is_constant(&self) -> bool {
        self.names.iter().all(|name| name.starts_with(char::is_uppercase))
    }

    fn is_among(&self, used: &BTreeSet<&str>) -> bool {
        self.names.iter().any(|name| used.contains(name.as_str()))
    }
}

impl File {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Self {
        let list = |names: &str| names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
        let header = |tag| text.lines().filter_map(move |line| line.strip_prefix(tag));
        let includes = header("-- @include ").flat_map(list);
        let (mut parts, mut is_rare) = (vec![Part::default()], false);
        for line in text.lines() {
            if line.trim_start().starts_with("--") {
                is_rare |= line == "-- @rare";
                continue;
            }
            if let Some(rest) = line.strip_prefix("local ") {
                let names = rest.trim_start_matches("function ").split(['=', '(']).next();
                parts.push(Part {
                    names: list(names.unwrap_or_default()),
                    is_rare: std::mem::take(&mut is_rare),
                    ..Part::default()
                });
            }
            if let (Some(part), false) = (parts.last_mut(), line.is_empty()) {
                part.code.extend([line.trim_start(), "\n"]);
            }
        }
        Self {
            keys: header("-- @keys ").flat_map(list).collect(),
            includes: includes.map(|name| format!("lua/{name}.lua")).collect(),
            parts,
        }
    }

    fn defines(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.names.iter().any(|own| own == name))
    }

    /// Holds the file to its header.
    fn check(&self, files: &Files) -> Result<(), String> {
        let used: BTreeSet<_> = self.parts.iter().flat_map(|part| names_in(&part.code)).collect();
        if let Some(key) = self.keys.iter().find(|key| !used.contains(unmarked(key))) {
            return Err(format!("the key {key} is declared and not used"));
        }
        for (index, part) in self.parts.iter().enumerate() {
            let (uses, below) = (names_in(&part.code), self.parts.iter().skip(index + 1));
            let mut below = below.filter(|part| part.is_function() || part.is_constant());
            if let Some(name) = below.find_map(|part| part.names.iter().find(|name| uses.contains(name.as_str()))) {
                return Err(format!("{name} is used above its definition"));
            } else if part.is_rare && !part.is_function() {
                return Err(format!("@rare stands above {}, which is no function", part.names.join(", ")));
            }
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
    if path.starts_with("lua/") && file.parts.first().is_some_and(|part| !part.code.is_empty()) {
        return Err(format!("{path}: the code before the first definition would be left out"));
    }
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

/// A rare function's first line, what follows that with those of the other definitions in it that it needs, and the names that
/// are used there.
fn nest<'a>(function: &'a Part, others: &[&'a Part]) -> (&'a str, String, BTreeSet<&'a str>) {
    let head = function.code.find('\n').map_or(0, |end| end + 1);
    let (head, body) = function.code.split_at(head);
    let (mut used, mut inside) = (names_in(body), body.to_owned());
    for part in others.iter().rev() {
        if part.is_among(&used) {
            used.extend(names_in(&part.code));
            inside.insert_str(0, &part.code);
        }
    }
    (head, inside, used)
}

/// The whole source of the script at this path, and its keys in the order in which it gets them.
///
/// # Errors
/// What is wrong with the script, or with a file that it includes.
pub fn resolve(path: &str, files: &Files) -> Result<(String, Vec<String>), String> {
    let mut all = Vec::new();
    add(path, files, &[], &mut all)?;
    let parts = all
        .iter()
        .flat_map(|from| files[*from].parts.iter().map(move |part| (*from == path, part)));
    let parts: Vec<_> = parts.collect();
    // Backwards, since a definition stands before what uses it. What a rare function uses counts later.
    let (mut used, mut kept) = (BTreeSet::new(), Vec::new());
    for (is_own, part) in parts.into_iter().rev() {
        let is_outside = is_own || part.is_among(&used);
        if is_outside && !part.is_rare {
            used.extend(names_in(&part.code));
        }
        kept.push((part, is_outside));
    }
    let (mut pieces, mut left_out, mut used_by_rare) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (part, is_outside) in kept.into_iter().rev() {
        if !is_outside {
            left_out.push(part);
        } else if part.is_rare {
            let (head, body, used_inside) = nest(part, &left_out);
            let mut state = left_out.iter().filter(|part| !part.is_function() && !part.is_constant());
            if let Some(twice) = state.find(|part| part.is_among(&used_inside) && part.is_among(&used_by_rare)) {
                let names = twice.names.join(", ");
                return Err(format!("{path}: two rare functions would each have their own {names}"));
            }
            used_by_rare.extend(used_inside);
            pieces.push((head, body));
        } else {
            pieces.push((&*part.code, String::new()));
        }
    }
    used.extend(used_by_rare);
    let declared = all.iter().flat_map(|from| &files[*from].keys);
    let needed = declared.filter(|key| used.contains(unmarked(key)));
    let keys: BTreeSet<_> = needed.map(|key| (unmarked(key) != key, key)).collect();
    let names: Vec<_> = keys.iter().map(|(_, key)| unmarked(key).to_owned()).collect();
    let values = match (keys.iter().any(|(_, key)| key.ends_with("...")), keys.len()) {
        (true, 1) => "KEYS",
        (true, _) => return Err(format!("{path}: a list of keys must be the only key")),
        (false, _) => "unpack(KEYS)",
    };
    let keys = format!("local {} = {values}\n", names.join(", "));
    let with_keys = |(head, body): (&str, String)| {
        // A rare function has the keys as its own: what a function has from outside costs time on every run.
        let own_keys = if body.is_empty() { "" } else { &keys };
        [head, own_keys, &body].concat()
    };
    let source: String = pieces.into_iter().map(with_keys).collect();
    Ok((keys + &source, names))
}

/// A shared file that no other file includes.
pub fn find_unused(files: &Files) -> Option<&String> {
    let included: BTreeSet<_> = files.values().flat_map(|file| &file.includes).collect();
    files.keys().find(|path| path.starts_with("lua/") && !included.contains(path))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/store");
    let (mut files, mut out) = (Files::new(), String::new());
    for path in glob::glob("src/store/**/*.lua")? {
        let path = path?;
        let name = path.strip_prefix("src/store")?.to_string_lossy().into_owned();
        files.insert(name, File::parse(&fs::read_to_string(&path)?));
    }
    if let Some(path) = find_unused(&files) {
        return Err(format!("nothing includes {path}").into());
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
