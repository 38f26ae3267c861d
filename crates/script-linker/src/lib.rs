//! Makes the store's Lua scripts of its files, and the list of keys of each.
//!
//! A file of `lua/` is shared; any other `.lua` file is a script. The header of a file says what its code uses:
//! `-- @keys META, JOBS` the keys, `-- @include job, clock` the shared files. Of these a script gets the definitions that it
//! uses, directly or through others, and the keys that they use, no others: Redis makes all functions of a script anew each
//! time it runs. A key marked `?` may be absent, so it comes last; `...` is a list of keys, and the only one.
//!
//! `-- @promises nothing` says that no answer to a client promises what a script changes: it looks, or cleans up. Then no replica is waited
//! for.
//!
//! `-- @rare` above a function says that most runs do not call it. All rare functions of a script, and what they alone need, are
//! defined inside one function, and so are made only when one of them is called. What they use of the script stands above them.

mod file;
mod rare;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

pub use file::File;
use file::{Part, names_in, unmarked};

/// Files by their paths, such as `jobs/ack.lua` and `lua/clock.lua`.
pub type Files = BTreeMap<String, File>;

/// A script, made.
#[derive(Debug, PartialEq, Eq)]
pub struct Script {
    /// All of its code.
    pub source: String,
    /// The keys that it gets, in this order.
    pub keys: Vec<String>,
    /// Whether no answer promises what it changes.
    pub promises_nothing: bool,
}

/// Reads all `.lua` files below a directory.
///
/// # Errors
/// One cannot be read, or nothing includes a shared file.
pub fn read(directory: &Path) -> Result<Files> {
    let mut files = Files::new();
    for path in glob::glob(&directory.join("**/*.lua").to_string_lossy())? {
        let path = path?;
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let name = path.strip_prefix(directory)?.to_string_lossy().into_owned();
        files.insert(name, File::parse(&text));
    }
    if let Some(path) = find_unused(&files) {
        bail!("nothing includes {path}");
    }
    Ok(files)
}

/// The paths of the scripts among these files.
pub fn scripts(files: &Files) -> impl Iterator<Item = &str> {
    files.keys().map(String::as_str).filter(|path| !is_shared(path))
}

fn is_shared(path: &str) -> bool {
    path.starts_with("lua/")
}

/// A shared file that no other file includes.
fn find_unused(files: &Files) -> Option<&String> {
    let included: BTreeSet<_> = files.values().flat_map(|file| &file.includes).collect();
    files.keys().find(|path| is_shared(path) && !included.contains(path))
}

/// Makes the script at this path.
///
/// # Errors
/// What is wrong with the script, or with a file that it includes.
pub fn link(path: &str, files: &Files) -> Result<Script> {
    let mut all = Vec::new();
    add(path, files, &[], &mut all)?;
    let all: Vec<_> = all
        .into_iter()
        .filter_map(|from| Some((from, files.get(from)?)))
        .collect();
    let parts: Vec<_> = all
        .iter()
        .flat_map(|(from, file)| file.parts.iter().map(move |part| (*from == path, part)))
        .collect();
    let choice = choose(&parts).with_context(|| path.to_owned())?;
    let declared = all.iter().flat_map(|(_, file)| &file.keys);
    let needed = declared.filter(|key| choice.uses(unmarked(key)));
    let keys: BTreeSet<_> = needed.map(|key| (unmarked(key) != key, key)).collect();
    let has_list = keys.iter().any(|(_, key)| key.ends_with("..."));
    ensure!(
        !has_list || keys.len() == 1,
        "{path}: a list of keys must be the only key"
    );
    let keys: Vec<_> = keys.iter().map(|(_, key)| unmarked(key).to_owned()).collect();
    let values = if has_list { "KEYS" } else { "unpack(KEYS)" };
    let local_keys = format!("local {} = {values}\n", keys.join(", "));
    let code = rare::join(&choice, &local_keys).with_context(|| path.to_owned())?;
    let source = local_keys + &code;
    let promises_nothing = files.get(path).is_some_and(|file| file.promises_nothing);
    Ok(Script {
        source,
        keys,
        promises_nothing,
    })
}

/// Adds a file to `all`, behind those that it includes. `open` are the files that lead to it.
fn add<'a>(path: &'a str, files: &'a Files, open: &[&str], all: &mut Vec<&'a str>) -> Result<()> {
    let file = files
        .get(path)
        .with_context(|| format!("there is no {path} to include"))?;
    file.check(files).with_context(|| path.to_owned())?;
    let begins_with_code = file.parts.first().is_some_and(|part| !part.code.is_empty());
    ensure!(
        !is_shared(path) || !begins_with_code,
        "{path}: the code before the first definition would be left out"
    );
    let open = [open, &[path]].concat();
    for include in &file.includes {
        if open.contains(&include.as_str()) {
            bail!("{} -> {include}: files include each other", open.join(" -> "));
        }
        add(include, files, &open, all)?;
    }
    if !all.contains(&path) {
        all.push(path);
    }
    Ok(())
}

/// What of the parts a script consists of.
#[derive(Default)]
struct Choice<'a> {
    /// What each run has, in the order of the script.
    hot: Vec<&'a str>,
    /// Likewise, what the rare functions and what they alone need are.
    rare: Vec<&'a str>,
    /// The rare functions that are called from outside.
    entries: BTreeSet<&'a str>,
    /// Before which part of `hot` the rare ones stand: as far down as what calls them allows.
    place: usize,
    used: BTreeSet<&'a str>,
    used_rarely: BTreeSet<&'a str>,
}

impl Choice<'_> {
    fn uses(&self, name: &str) -> bool {
        self.used.contains(name) || self.used_rarely.contains(name)
    }
}

/// Chooses among parts, each with whether it is the script's own.
fn choose<'a>(parts: &[(bool, &'a Part)]) -> Result<Choice<'a>> {
    let mut choice = Choice::default();
    let mut below = None;
    // Backwards, since a definition stands before what uses it.
    for (is_own, part) in parts.iter().rev() {
        let is_used = *is_own || part.is_among(&choice.used);
        if is_used && !part.is_rare {
            choice.used.extend(names_in(&part.code));
            choice.hot.push(&part.code);
        } else if is_used || part.is_among(&choice.used_rarely) {
            ensure!(
                part.is_function() || part.is_constant(),
                "each rare call would make its own {}",
                part.names.join(", ")
            );
            below.get_or_insert(choice.hot.len());
            if is_used {
                choice.entries.extend(part.names.iter().map(String::as_str));
            }
            choice.used_rarely.extend(names_in(&part.code));
            choice.rare.push(&part.code);
        }
    }
    choice.hot.reverse();
    choice.rare.reverse();
    choice.place = choice.hot.len() - below.unwrap_or_default();
    Ok(choice)
}
