//! Checks objects of Kubernetes against custom resource definitions.

use crate::schema::Schemas;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Custom resource definitions, by the `apiVersion` and `kind` that they define.
#[derive(Default)]
pub struct Definitions(BTreeMap<(String, String), (Schemas, Value)>);

impl Definitions {
    /// Takes one more definition. Panics when it is none, or its schema has what is not understood.
    pub fn add(&mut self, definition: &Value) {
        let spec = &definition["spec"];
        let text = |value: &Value| {
            value
                .as_str()
                .unwrap_or_else(|| panic!("not a name: {value}"))
                .to_owned()
        };
        let (group, kind) = (text(&spec["group"]), text(&spec["names"]["kind"]));
        for version in spec["versions"].as_array().expect("versions") {
            let schema = closed(&version["schema"]["openAPIV3Schema"]);
            let mut schemas = Schemas::new(Value::Null);
            schemas.prepare(&schema);
            let name = format!("{group}/{}", text(&version["name"]));
            self.0.insert((name, kind.clone()), (schemas, schema));
        }
    }

    /// What is wrong with an object, each with its place; members that its definition does not know are wrong, too. Kubernetes drops
    /// these in silence. `None` where nothing defines its kind.
    pub fn check(&self, object: &Value) -> Option<Vec<String>> {
        let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        let (schemas, schema) = self.0.get(&(text("apiVersion"), text("kind")))?;
        Some(schemas.check(schema, object))
    }
}

/// A schema that knows no members but those that it names, without what Kubernetes alone understands.
fn closed(schema: &Value) -> Value {
    let Value::Object(keywords) = schema else {
        return schema.clone();
    };
    let is_open = ["additionalProperties", "x-kubernetes-preserve-unknown-fields"]
        .iter()
        .any(|keyword| keywords.contains_key(*keyword));
    let known = keywords
        .iter()
        .filter(|(keyword, _)| !keyword.starts_with("x-kubernetes-"));
    let mut all: Map<_, _> = known
        .map(|(keyword, said)| (keyword.clone(), closed_part(keyword, said)))
        .collect();
    if keywords.contains_key("properties") && !is_open {
        all.insert("additionalProperties".to_owned(), json!(false));
    }
    all.into()
}

fn closed_part(keyword: &str, said: &Value) -> Value {
    match (keyword, said) {
        ("properties", Value::Object(all)) => all.iter().map(|(name, one)| (name.clone(), closed(one))).collect(),
        ("items" | "additionalProperties", one) => closed(one),
        // Parts of a schema know some of its members only.
        (_, said) => said.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_definition_does_not_know_is_wrong_at_each_depth() {
        let spec = json!({
            "type": "object",
            "required": ["image"],
            "properties": {
                "image": {"type": "string"},
                "items": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "port": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true},
                "free": {"type": "object", "properties": {}, "x-kubernetes-preserve-unknown-fields": true},
            },
        });
        let names = ["apiVersion", "kind"].map(|name| (name.to_owned(), json!({"type": "string"})));
        let properties: Map<_, _> = names.into_iter().chain([("spec".to_owned(), spec)]).collect();
        let schema = json!({"type": "object", "properties": properties});
        let mut definitions = Definitions::default();
        definitions.add(&json!({"spec": {
            "group": "example.com",
            "names": {"kind": "App"},
            "versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}],
        }}));
        let check = |spec: Value| {
            let object = json!({"apiVersion": "example.com/v1", "kind": "App", "spec": spec});
            definitions.check(&object).expect("it is defined").join(" | ")
        };
        let right =
            json!({"image": "a", "items": [{"name": "b"}], "labels": {"c": "d"}, "port": "http", "free": {"e": 1}});
        assert_eq!(check(right), "");
        assert_eq!(check(json!({})), "/spec: image is missing");
        assert_eq!(
            check(json!({"image": "a", "imag": "b"})),
            "/spec/imag: must not be there"
        );
        assert_eq!(
            check(json!({"image": "a", "items": [{"nam": 1}]})),
            "/spec/items/0/nam: must not be there"
        );
        assert!(check(json!({"image": "a", "labels": {"b": 1}})).starts_with("/spec/labels/b: "));
        assert!(check(json!({"image": "a", "port": true})).starts_with("/spec/port: fits 0 of 2"));
        assert_eq!(
            definitions.check(&json!({"apiVersion": "example.com/v2", "kind": "App"})),
            None
        );
    }
}
