//! Texts of the manifest that refer to variables: `prefix {{ name }} suffix`.
//!
//! As in Spin there is no way to write a literal `{{`; single braces, and a `}}` without its start, are text.

use anyhow::{Result, anyhow};

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    /// Stands for itself.
    Text(&'t str),
    /// Stands for the value of the variable of this name.
    Variable(&'t str),
}

/// Takes a template apart.
///
/// # Errors
/// A `{{` without its `}}`.
pub(crate) fn parts(template: &str) -> Result<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once("{{") {
        let (name, after) = after
            .split_once("}}")
            .ok_or_else(|| anyhow!("template \"{template}\" has a '{{{{' without its '}}}}'"))?;
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        parts.push(Part::Variable(name.trim()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Ok(parts)
}

/// The variables that a template refers to.
///
/// # Errors
/// As [`parts`].
pub(crate) fn variables(template: &str) -> Result<Vec<&str>> {
    let variables = parts(template)?.into_iter().filter_map(|part| match part {
        Part::Variable(name) => Some(name),
        Part::Text(_) => None,
    });
    Ok(variables.collect())
}
