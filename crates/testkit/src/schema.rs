//! JSON Schema (2020-12), as much of it as docs/openapi.yaml uses.
//!
//! Not a crate: `jsonschema` turns on features of `hashbrown`, which wasmtime uses and would be built a second time with,
//! and `float_roundtrip` of `serde_json`, with which the library under test would read numbers otherwise than in service.
//! A keyword that is not known here is refused when the document is loaded, so nothing is passed over in silence.

use regex_lite::Regex;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

/// The schemas of one document.
pub(crate) struct Schemas {
    document: Value,
    patterns: HashMap<String, Regex>,
}

/// What was found wrong: each with the place in the value.
type Wrong = Vec<String>;

impl Schemas {
    /// Takes a document whose schemas refer to each other by `#/...`.
    pub(crate) fn new(document: Value) -> Self {
        let patterns = HashMap::new();
        Self { document, patterns }
    }

    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// What an object refers to, or the object itself. Panics when there is nothing.
    pub(crate) fn resolve<'a>(&'a self, object: &'a Value) -> &'a Value {
        let Some(reference) = object.get("$ref") else {
            return object;
        };
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let target = pointer.and_then(|pointer| self.document.pointer(pointer));
        target.unwrap_or_else(|| panic!("{reference} is not there"))
    }

    /// Makes a schema ready. Panics when it says something that is not known here, or refers to nothing.
    pub(crate) fn prepare(&mut self, schema: &Value) {
        let Value::Object(keywords) = schema else {
            assert!(schema.is_boolean(), "not a schema: {schema}");
            return;
        };
        for (keyword, said) in keywords {
            match (&**keyword, said) {
                ("description" | "default" | "examples" | "format", _) => {}
                ("const" | "type" | "enum" | "required", _) => {}
                ("minimum" | "maximum" | "exclusiveMinimum", Value::Number(_)) => {}
                ("minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties", Value::Number(_)) => {}
                ("unevaluatedProperties", Value::Bool(false)) => {}
                ("$ref", _) => _ = self.resolve(schema),
                ("pattern", Value::String(pattern)) => {
                    let regex = Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
                    self.patterns.insert(pattern.clone(), regex);
                }
                ("items" | "not" | "if" | "then" | "else" | "additionalProperties", _) => self.prepare(said),
                ("properties", Value::Object(all)) => all.values().for_each(|one| self.prepare(one)),
                ("oneOf" | "anyOf" | "allOf", Value::Array(all)) => all.iter().for_each(|one| self.prepare(one)),
                _ => panic!("not known: {keyword}: {said}"),
            }
        }
    }

    /// Checks a value against a schema that was made ready. Gives what is wrong.
    pub(crate) fn check(&self, schema: &Value, value: &Value) -> Wrong {
        let mut wrong = Wrong::new();
        self.apply(schema, value, "", &mut wrong);
        wrong
    }

    /// Applies a schema. Gives the members of the value that it, or a part of it that fits, has a word on.
    fn apply<'v>(&self, schema: &Value, value: &'v Value, at: &str, wrong: &mut Wrong) -> BTreeSet<&'v str> {
        let mut seen = BTreeSet::new();
        let Value::Object(keywords) = schema else {
            if schema == &Value::Bool(false) {
                wrong.push(format!("{at}: must not be there"));
            }
            return seen;
        };
        for (keyword, said) in keywords {
            match &**keyword {
                "$ref" => seen.extend(self.apply(self.resolve(schema), value, at, wrong)),
                "oneOf" | "anyOf" | "allOf" | "not" | "if" => {
                    seen.extend(self.apply_parts(keyword, keywords, value, at, wrong));
                }
                _ => {
                    if let Some(text) = self.simple(keyword, said, value) {
                        wrong.push(format!("{at}: {text}"));
                    }
                }
            }
        }
        if let (Value::Array(list), Some(schema)) = (value, keywords.get("items")) {
            for (i, item) in list.iter().enumerate() {
                self.apply(schema, item, &format!("{at}/{i}"), wrong);
            }
        }
        if let Value::Object(members) = value {
            let properties = keywords.get("properties").and_then(Value::as_object);
            for (name, member) in members {
                let schema = properties.and_then(|all| all.get(name));
                if let Some(schema) = schema {
                    self.apply(schema, member, &format!("{at}/{name}"), wrong);
                    seen.insert(name);
                } else if let Some(schema) = keywords.get("additionalProperties") {
                    self.apply(schema, member, &format!("{at}/{name}"), wrong);
                    seen.insert(name);
                }
            }
            if keywords.contains_key("unevaluatedProperties") {
                let unknown = members.keys().filter(|name| !seen.contains(&***name));
                wrong.extend(unknown.map(|name| format!("{at}/{name}: not known")));
            }
        }
        seen
    }

    /// Applies what is put together from other schemas.
    fn apply_parts<'v>(
        &self,
        keyword: &str,
        keywords: &Map<String, Value>,
        value: &'v Value,
        at: &str,
        wrong: &mut Wrong,
    ) -> BTreeSet<&'v str> {
        let said = &keywords[keyword];
        let attempt = |schema: &Value| {
            let mut wrong = Wrong::new();
            let seen = self.apply(schema, value, at, &mut wrong);
            (seen, wrong)
        };
        let mut all_seen = BTreeSet::new();
        match keyword {
            "not" => {
                if attempt(said).1.is_empty() {
                    wrong.push(format!("{at}: must not be as {said}"));
                }
            }
            "if" => {
                let (seen, why_not) = attempt(said);
                let branch = if why_not.is_empty() {
                    all_seen.extend(seen);
                    "then"
                } else {
                    "else"
                };
                if let Some(schema) = keywords.get(branch) {
                    all_seen.extend(self.apply(schema, value, at, wrong));
                }
            }
            _ => {
                let parts = said.as_array().expect("a list of schemas");
                let (mut fit, mut misfit) = (0, Wrong::new());
                for (seen, why_not) in parts.iter().map(attempt) {
                    if why_not.is_empty() {
                        fit += 1;
                        all_seen.extend(seen);
                    } else {
                        misfit.push(format!("({})", why_not.join("; ")));
                    }
                }
                let right = match keyword {
                    "oneOf" => fit == 1,
                    "anyOf" => fit > 0,
                    _ => fit == parts.len(),
                };
                if !right {
                    let (all, misfit) = (parts.len(), misfit.join(" "));
                    wrong.push(format!("{at}: fits {fit} of {all} with {keyword}: {misfit}"));
                }
            }
        }
        all_seen
    }

    /// What a keyword finds wrong that looks at the value alone.
    fn simple(&self, keyword: &str, said: &Value, value: &Value) -> Option<String> {
        let limit = said.as_f64().unwrap_or_default();
        let number = value.as_f64();
        // Lengths here are far below 2^52.
        #[allow(clippy::cast_precision_loss)]
        let size = |length: usize| Some(length as f64);
        let chars = value.as_str().and_then(|text| size(text.chars().count()));
        let items = value.as_array().and_then(|list| size(list.len()));
        let members = value.as_object().and_then(|members| size(members.len()));
        let below = |size: Option<f64>| size.is_some_and(|size| size < limit);
        let above = |size: Option<f64>| size.is_some_and(|size| size > limit);
        let is_wrong = match keyword {
            "const" => value != said,
            "enum" => !said.as_array().is_some_and(|all| all.contains(value)),
            "type" => match said {
                Value::Array(all) => !all.iter().any(|one| is_of_type(one, value)),
                one => !is_of_type(one, value),
            },
            "minimum" => below(number),
            "maximum" => above(number),
            "exclusiveMinimum" => number.is_some_and(|number| number <= limit),
            "minLength" => below(chars),
            "maxLength" => above(chars),
            "minItems" => below(items),
            "maxItems" => above(items),
            "minProperties" => below(members),
            "pattern" => {
                let regex = &self.patterns[said.as_str().unwrap_or_default()];
                value.as_str().is_some_and(|text| !regex.is_match(text))
            }
            "required" => return missing(said, value),
            _ => false,
        };
        is_wrong.then(|| format!("{value} is against {keyword} {said}"))
    }
}

fn missing(names: &Value, value: &Value) -> Option<String> {
    let members = value.as_object()?;
    let mut names = names.as_array()?.iter().filter_map(Value::as_str);
    names
        .find(|name| !members.contains_key(*name))
        .map(|name| format!("{name} is missing"))
}

fn is_of_type(name: &Value, value: &Value) -> bool {
    match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => panic!("not a type: {name}"),
    }
}

#[cfg(test)]
mod tests;
