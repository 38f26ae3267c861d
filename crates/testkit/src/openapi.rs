//! Holds answers to docs/openapi.yaml: the [`Client`](crate::Client) passes each one by here.

use crate::schema::Schemas;
use http::HeaderMap;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::read(include_str!("../../../docs/openapi.yaml")));

/// The methods that a path of the document can have. HEAD and OPTIONS follow from them.
const METHODS: [&str; 4] = ["get", "put", "post", "delete"];

/// Panics when an answer is not as docs/openapi.yaml has it. Looks at answers of `/v1` alone.
pub(crate) fn check(method: &str, target: &str, status: u16, headers: &HeaderMap, body: &[u8]) {
    let path = target.split('?').next().unwrap_or_default();
    if path != "/v1" && !path.starts_with("/v1/") {
        return;
    }
    if let Err(wrong) = CONTRACT.check(method, path, status, headers, body) {
        let body = String::from_utf8_lossy(body);
        panic!("{method} {target} -> {status} is not as docs/openapi.yaml has it: {wrong}\n{headers:?}\n{body:.2000}");
    }
}

/// The operations of docs/openapi.yaml: for each its method and path, and the scope that it needs. Panics when one needs none, or
/// not the same in whatever way a key is sent, or when it must have a key even where there are none.
pub fn operations() -> BTreeMap<String, String> {
    let with_scope = |(path, method, operation): (&str, &str, &Value)| {
        let security = &operation["security"];
        let scope = &security[0]["bearer"][0];
        let expected = json!([{"bearer": [scope]}, {"basic": [scope]}, {"apiKey": [scope]}, {}]);
        assert_eq!(*security, expected, "{method} {path}");
        let scope = scope.as_str().unwrap_or_else(|| panic!("{method} {path}"));
        (format!("{} {path}", method.to_uppercase()), scope.to_owned())
    };
    CONTRACT.operations().into_iter().map(with_scope).collect()
}

/// The documents in a text of YAML. Panics when it is none, or has what JSON has not.
pub fn yaml(text: &str) -> Vec<Value> {
    let documents = Yaml::load_from_str(text).expect("YAML");
    documents.iter().map(value).collect()
}

struct Contract {
    schemas: Schemas,
}

type Checked<T = ()> = Result<T, String>;

impl Contract {
    /// Panics when a schema in the document is not understood, or something refers to nothing.
    fn read(text: &str) -> Self {
        let document = yaml(text).remove(0);
        let mut schemas = Schemas::new(document.clone());
        for schema in document["components"]["schemas"].as_object().expect("schemas").values() {
            schemas.prepare(schema);
        }
        prepare_all(&mut schemas, &document);
        Self { schemas }
    }

    /// The operations, each with its path and method.
    fn operations(&self) -> Vec<(&str, &'static str, &Value)> {
        let paths = members(self.schemas.document().get("paths"));
        let operations = paths.flat_map(|(path, item)| {
            let of_path = METHODS
                .into_iter()
                .filter_map(|method| Some((method, item.get(method)?)));
            of_path.map(|(method, operation)| (&**path, method, operation))
        });
        operations.collect()
    }

    fn check(&self, method: &str, path: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> Checked {
        let response = self.response(method, path, status, headers)?;
        for (name, header) in members(response.get("headers")) {
            self.check_header(name, self.schemas.resolve(header), headers)?;
        }
        match response.get("content") {
            None if body.is_empty() => Ok(()),
            None => Err("it must have no body".into()),
            Some(content) => self.check_body(content, method == "HEAD", headers, body),
        }
    }

    /// What the document says of this answer.
    fn response(&self, method: &str, path: &str, status: u16, headers: &HeaderMap) -> Checked<&Value> {
        let Some(route) = self.route(path) else {
            return self.central("NotFound", 404, status);
        };
        let name = if method == "HEAD" { "GET" } else { method };
        let known = METHODS.into_iter().find(|known| known.to_uppercase() == name);
        let operation = known.and_then(|known| route.get(known));
        let Some(operation) = operation else {
            let response = match method {
                "OPTIONS" => self.central("Options", 204, status)?,
                _ => self.central("MethodNotAllowed", 405, status)?,
            };
            if matches!(status, 204 | 405) {
                check_allow(route, headers)?;
            }
            return Ok(response);
        };
        let response = operation["responses"].get(status.to_string());
        let response = response.ok_or_else(|| format!("{} has no such status", operation["operationId"]))?;
        Ok(self.schemas.resolve(response))
    }

    /// An answer that no operation describes: the expected one, or one of those that come before the path is looked at.
    fn central(&self, name: &str, expected: u16, status: u16) -> Checked<&Value> {
        let name = match status {
            _ if status == expected => name,
            400 => "AmbiguousHost",
            403 => "Denied",
            421 => "MisdirectedRequest",
            503 => "Unavailable",
            _ => return Err(format!("it must be {expected}")),
        };
        Ok(&self.schemas.document()["components"]["responses"][name])
    }

    /// The item whose template fits the path. A slash at the end counts for nothing.
    fn route(&self, path: &str) -> Option<&Value> {
        let path: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
        let fits = |template: &str| {
            let parts: Vec<&str> = template.split('/').collect();
            let same = |(part, segment): (&&str, &&str)| part.starts_with('{') || part == segment;
            parts.len() == path.len() && parts.iter().zip(&path).all(same)
        };
        let mut routes = members(self.schemas.document().get("paths"));
        routes.find_map(|(template, item)| fits(template).then_some(item))
    }

    fn check_header(&self, name: &str, expected: &Value, headers: &HeaderMap) -> Checked {
        let values: Result<Vec<_>, _> = headers.get_all(name).iter().map(|value| value.to_str()).collect();
        // Several headers of a name are as one with a list (RFC 9110).
        let text = values.map_err(|error| format!("{name}: {error}"))?.join(", ");
        if !headers.contains_key(name) {
            let required = expected["required"] == Value::Bool(true);
            return if required {
                Err(format!("{name} is missing"))
            } else {
                Ok(())
            };
        }
        let number = expected["schema"]["type"] == "integer";
        let value = number.then(|| text.parse::<u64>().ok().map(Value::from)).flatten();
        self.fits(name, &expected["schema"], &value.unwrap_or_else(|| text.into()))
    }

    fn check_body(&self, content: &Value, is_head: bool, headers: &HeaderMap, body: &[u8]) -> Checked {
        let media = header(headers, "content-type").split(';').next().unwrap_or_default();
        let expected = content
            .get(media)
            .ok_or_else(|| format!("the content type is {media:?}"))?;
        let length = header(headers, "content-length");
        if is_head {
            let right = body.is_empty() && length.parse::<usize>().is_ok();
            return right
                .then_some(())
                .ok_or_else(|| "it must have a length and no body".into());
        }
        if length != body.len().to_string() {
            return Err(format!("content-length is {length:?}"));
        }
        match serde_json::from_slice(body) {
            Ok(value) => self.fits("the body", &expected["schema"], &value),
            // A payload may have what `Value` cannot hold, such as 1e999 or a thousand levels, and is JSON all the same.
            Err(_) if serde_json::from_slice::<IgnoredAny>(body).is_ok() => Ok(()),
            Err(error) => Err(format!("the body is not JSON: {error}")),
        }
    }

    fn fits(&self, what: &str, schema: &Value, value: &Value) -> Checked {
        match self.schemas.check(schema, value) {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(format!("{what}: {}", wrong.join("\n  "))),
        }
    }
}

/// `Allow` has the methods that the document has, and those that follow.
fn check_allow(route: &Value, headers: &HeaderMap) -> Checked {
    let said: BTreeSet<_> = header(headers, "allow").split(',').map(str::trim).collect();
    let mut right: BTreeSet<_> = METHODS
        .into_iter()
        .filter(|method| route.get(method).is_some())
        .collect();
    right.extend(right.contains("get").then_some("head"));
    right.insert("options");
    let right: BTreeSet<_> = right.into_iter().map(str::to_uppercase).collect();
    let right: BTreeSet<_> = right.iter().map(String::as_str).collect();
    let same = said == right;
    same.then_some(())
        .ok_or_else(|| format!("Allow is {said:?}, not {right:?}"))
}

/// A header's text, empty when it is not there.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let text = headers.get(name).and_then(|value| value.to_str().ok());
    text.unwrap_or_default()
}

fn members(object: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    object.and_then(Value::as_object).into_iter().flatten()
}

/// Makes every schema ready that stands in a parameter, a header or a body.
fn prepare_all(schemas: &mut Schemas, part: &Value) {
    match part {
        Value::Array(list) => list.iter().for_each(|one| prepare_all(schemas, one)),
        Value::Object(object) => {
            schemas.resolve(part);
            for (name, one) in object {
                match &**name {
                    "schema" => schemas.prepare(one),
                    "schemas" | "example" | "examples" => {}
                    _ => prepare_all(schemas, one),
                }
            }
        }
        _ => {}
    }
}

fn value(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(is_true)) => (*is_true).into(),
        Yaml::Value(Scalar::Integer(number)) => (*number).into(),
        Yaml::Value(Scalar::FloatingPoint(number)) => number.into_inner().into(),
        Yaml::Value(Scalar::String(text)) => (&**text).into(),
        Yaml::Sequence(list) => list.iter().map(value).collect(),
        Yaml::Mapping(members) => {
            let members = members.iter().map(|(name, member)| {
                let name = name.as_str().unwrap_or_else(|| panic!("not a name: {name:?}"));
                (name.to_owned(), value(member))
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => panic!("not JSON: {other:?}"),
    }
}

#[cfg(test)]
mod answers;
#[cfg(test)]
mod document;
