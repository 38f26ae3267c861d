//! The parts of a document of OpenAPI, and how they are written as HTML.

use pulldown_cmark::{Parser, html};
use saphyr::{Scalar, Yaml};

/// What a reference leads to, or the object itself.
pub(super) fn resolve<'a>(document: &'a Yaml<'a>, object: &'a Yaml<'a>) -> &'a Yaml<'a> {
    let Some(reference) = text(object, "$ref") else {
        return object;
    };
    let mut steps = reference.trim_start_matches("#/").split('/');
    steps
        .try_fold(document, |place, name| place.as_mapping_get(name))
        .unwrap_or(object)
}

/// The description of an object, as HTML.
pub(super) fn described(object: &Yaml) -> String {
    let mut shown = String::new();
    html::push_html(&mut shown, Parser::new(text(object, "description").unwrap_or_default()));
    shown
}

/// A description that stands within a line.
pub(super) fn in_line(description: &str) -> String {
    let mut shown = String::new();
    html::push_html(&mut shown, Parser::new(description));
    shown
        .trim()
        .trim_start_matches("<p>")
        .trim_end_matches("</p>")
        .to_owned()
}

pub(super) fn text<'a>(object: &'a Yaml<'a>, name: &str) -> Option<&'a str> {
    object.as_mapping_get(name)?.as_str()
}

pub(super) fn list<'a>(object: &'a Yaml<'a>, name: &str) -> impl Iterator<Item = &'a Yaml<'a>> {
    object
        .as_mapping_get(name)
        .and_then(Yaml::as_sequence)
        .into_iter()
        .flatten()
}

/// The members of an object, in their order.
pub(super) fn members<'a>(object: Option<&'a Yaml<'a>>) -> Vec<(&'a str, &'a Yaml<'a>)> {
    let members = object.and_then(Yaml::as_mapping).into_iter().flatten();
    members
        .filter_map(|(name, member)| Some((name.as_str()?, member)))
        .collect()
}

/// A value as JSON, in one line.
pub(super) fn json(value: &Yaml) -> String {
    match value {
        Yaml::Value(Scalar::Boolean(is_true)) => is_true.to_string(),
        Yaml::Value(Scalar::Integer(number)) => number.to_string(),
        Yaml::Value(Scalar::FloatingPoint(number)) => number.to_string(),
        Yaml::Value(Scalar::String(text)) => format!("{text:?}"),
        Yaml::Sequence(all) => format!("[{}]", all.iter().map(json).collect::<Vec<_>>().join(", ")),
        Yaml::Mapping(_) => {
            let all = members(Some(value)).into_iter();
            let all = all.map(|(name, member)| format!("{name:?}: {}", json(member)));
            format!("{{{}}}", all.collect::<Vec<_>>().join(", "))
        }
        _ => "null".to_owned(),
    }
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
