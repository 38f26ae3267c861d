//! A file, taken apart and held to its header.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};

use crate::{Files, is_shared};

/// A file, taken apart.
pub struct File {
    pub(crate) keys: Vec<String>,
    /// The paths of the shared files that it includes.
    pub(crate) includes: Vec<String>,
    /// Its code in parts.
    pub(crate) parts: Vec<Part>,
    /// Whether no answer promises what it changes.
    pub(crate) promises_nothing: bool,
}

/// A piece of code.
#[derive(Default)]
pub(crate) struct Part {
    /// The names that it defines for what follows.
    pub(crate) names: Vec<String>,
    pub(crate) code: String,
    /// Whether it is a function that most runs do not call.
    pub(crate) is_rare: bool,
}

impl Part {
    pub(crate) fn is_function(&self) -> bool {
        self.code.starts_with("local function")
    }

    pub(crate) fn is_constant(&self) -> bool {
        self.names.iter().all(|name| name.starts_with(char::is_uppercase))
    }

    pub(crate) fn is_among(&self, used: &BTreeSet<&str>) -> bool {
        self.names.iter().any(|name| used.contains(name.as_str()))
    }
}

impl File {
    /// Reads a file's text.
    #[must_use]
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
            promises_nothing: text.lines().any(|line| line == "-- @promises nothing"),
        }
    }

    fn defines(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.names.iter().any(|own| own == name))
    }

    /// Holds the file to its header.
    pub(crate) fn check(&self, files: &Files) -> Result<()> {
        let used: BTreeSet<_> = self.parts.iter().flat_map(|part| names_in(&part.code)).collect();
        if let Some(key) = self.keys.iter().find(|key| !used.contains(unmarked(key))) {
            bail!("the key {key} is declared and not used");
        }
        for (index, part) in self.parts.iter().enumerate() {
            let (uses, below) = (names_in(&part.code), self.parts.iter().skip(index + 1));
            let mut below = below.filter(|part| part.is_function() || part.is_constant());
            if let Some(name) = below.find_map(|part| part.names.iter().find(|name| uses.contains(name.as_str()))) {
                bail!("{name} is used above its definition");
            } else if part.is_rare && !part.is_function() {
                bail!("@rare stands above {}, which is no function", part.names.join(", "));
            }
        }
        for include in &self.includes {
            let file = files
                .get(include)
                .with_context(|| format!("there is no {include} to include"))?;
            if !used.iter().any(|name| file.defines(name)) {
                bail!("{include} is included and not used");
            }
        }
        for name in used.into_iter().filter(|name| !self.defines(name)) {
            let mut shared = files.iter().filter(|(path, _)| is_shared(path));
            let home = shared.find(|(_, file)| file.defines(name)).map(|(path, _)| path);
            let is_known = self.keys.iter().any(|key| unmarked(key) == name) || name == "KEYS" || name == "ARGV";
            if let Some(home) = home.filter(|home| !self.includes.contains(home)) {
                bail!("{name} is used, and {home} is not included");
            } else if name.starts_with(char::is_uppercase) && !is_known && home.is_none() {
                bail!("{name} is used, and neither defined nor declared as a key");
            }
        }
        Ok(())
    }
}

/// A key's name without its mark.
pub(crate) fn unmarked(key: &str) -> &str {
    key.trim_end_matches(['?', '.'])
}

/// The names in a piece of code, without fields and strings.
pub(crate) fn names_in(code: &str) -> BTreeSet<&str> {
    let is_between = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.';
    let words = code.split('\'').step_by(2).flat_map(|code| code.split(is_between));
    words.filter_map(|word| word.split('.').next()).collect()
}
