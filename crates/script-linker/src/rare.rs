//! How the rare functions of a script are put into one.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::Choice;
use crate::file::names_in;

/// The code of a script. `local_keys` is the line that names its keys.
pub(crate) fn join(choice: &Choice<'_>, local_keys: &str) -> Result<String> {
    let mut pieces = Vec::new();
    for code in &choice.hot {
        let code = redirect_calls(code, &choice.entries);
        if let Some(name) = names_in(&code).intersection(&choice.entries).next() {
            bail!("{name} is rare, so all that can be done with it is to call it");
        }
        pieces.push(code);
    }
    if !choice.rare.is_empty() {
        let entries: Vec<_> = choice.entries.iter().map(|name| format!("{name} = {name}")).collect();
        // It has the keys as its own: what a function has from outside costs time on every run.
        let body = [local_keys, &*choice.rare.concat()].concat();
        let entries = entries.join(", ");
        let function = format!("rare = function(name, ...)\n{body}return ({{{entries}}})[name](...)\nend\n");
        pieces.insert(choice.place, function);
        pieces.insert(0, "local rare\n".to_owned());
    }
    Ok(pieces.concat())
}

/// Calls of rare functions, as calls of the one that has them inside.
fn redirect_calls(code: &str, entries: &BTreeSet<&str>) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let (mut redirected, mut is_string) = (String::new(), false);
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c| !is_part(c)).filter(|length| *length > 0);
        let (word, behind) = rest.split_at(length.unwrap_or(first.len_utf8()));
        is_string ^= word == "'";
        rest = behind;
        match behind
            .strip_prefix('(')
            .filter(|_| entries.contains(word) && !is_string)
        {
            Some(args) => {
                let comma = if args.starts_with(')') { "" } else { ", " };
                redirected.extend(["rare('", word, "'", comma]);
                rest = args;
            }
            None => redirected += word,
        }
    }
    redirected
}
