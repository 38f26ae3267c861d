//! A schema as HTML: its type and bounds in a line, its members below.

use saphyr::Yaml;

use super::parts::{described, escape, json, list, members, text};

/// The keywords that say nothing about a value alone, and what the page calls them.
const OF_SCHEMAS: [(&str, &str); 4] = [
    ("oneOf", "one of"),
    ("anyOf", "any of"),
    ("allOf", "all of"),
    ("not", "not"),
];

/// The keywords that are not facts: they are shown in another way, or only together.
const NO_FACTS: [&str; 12] = [
    "$ref",
    "type",
    "description",
    "properties",
    "required",
    "items",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "example",
    "examples",
];

pub(super) fn show(schema: &Yaml) -> String {
    let mut shown = format!("<p class=\"type\">{}</p>\n{}", line(schema), described(schema));
    let required: Vec<_> = list(schema, "required").filter_map(Yaml::as_str).collect();
    let properties = members(schema.as_mapping_get("properties"));
    if !properties.is_empty() {
        shown += "<dl>\n";
        for (name, property) in &properties {
            let must = if required.contains(name) {
                " <small>required</small>"
            } else {
                ""
            };
            shown += &format!(
                "<dt><code>{}</code>{must}</dt>\n<dd>{}</dd>\n",
                escape(name),
                show(property)
            );
        }
        shown += "</dl>\n";
    }
    let others = required
        .iter()
        .filter(|name| properties.iter().all(|(property, _)| property != *name));
    let others: Vec<_> = others.map(|name| format!("<code>{}</code>", escape(name))).collect();
    if !others.is_empty() {
        shown += &format!("<p>required: {}</p>\n", others.join(", "));
    }
    if let Some(items) = schema.as_mapping_get("items") {
        shown += &format!("<div class=\"part\"><p>each</p>\n{}</div>\n", show(items));
    }
    for (keyword, words) in OF_SCHEMAS {
        let Some(parts) = schema.as_mapping_get(keyword) else {
            continue;
        };
        let all = parts
            .as_sequence()
            .map_or_else(|| vec![parts], |all| all.iter().collect());
        let all: String = all
            .into_iter()
            .map(|part| format!("<li>{}</li>\n", show(part)))
            .collect();
        shown += &format!("<div class=\"part\"><p>{words}</p>\n<ul>\n{all}</ul></div>\n");
    }
    shown
}

/// Its type, what it refers to, and all that bounds it.
fn line(schema: &Yaml) -> String {
    let mut words = Vec::new();
    if let Some(reference) = text(schema, "$ref") {
        let name = reference.rsplit('/').next().unwrap_or_default();
        words.push(format!("<a href=\"#schema-{name}\">{name}</a>"));
    }
    match schema.as_mapping_get("type") {
        Some(types) if types.as_str().is_none() => {
            let types: Vec<_> = types
                .as_sequence()
                .into_iter()
                .flatten()
                .filter_map(Yaml::as_str)
                .collect();
            words.push(types.join(" or "));
        }
        Some(one) => words.push(one.as_str().unwrap_or_default().to_owned()),
        None => {}
    }
    for (keyword, said) in members(Some(schema)) {
        if !NO_FACTS.contains(&keyword) {
            words.push(format!("{keyword} <code>{}</code>", escape(&json(said))));
        }
    }
    if !schema.is_mapping() {
        words.push(if schema.as_bool() == Some(false) {
            "never".into()
        } else {
            "anything".into()
        });
    }
    words.join(", ")
}
