//! The document itself.

use super::*;
use std::collections::BTreeMap;

#[test]
fn every_operation_has_an_id_of_its_own_and_can_fail() {
    let mut ids = BTreeMap::new();
    for (path, method, operation) in CONTRACT.operations() {
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{method} {path}"));
        assert_eq!(ids.insert(id, path), None, "{id}");
        let statuses = operation["responses"].as_object().unwrap();
        // Before its path is looked at, and because of its key.
        for status in ["400", "401", "403", "421", "503"] {
            assert!(statuses.contains_key(status), "{id}: {status}");
        }
        assert_eq!(
            statuses.contains_key("415"),
            operation.get("requestBody").is_some(),
            "{id}"
        );
    }
}

#[test]
fn every_operation_needs_a_scope_whatever_way_the_key_is_sent() {
    let document = CONTRACT.schemas.document();
    let ways: BTreeSet<_> = members(document["components"].get("securitySchemes"))
        .map(|(name, _)| &**name)
        .collect();
    assert_eq!(ways, BTreeSet::from(["apiKey", "basic", "bearer"]));
    assert_eq!(super::operations().len(), CONTRACT.operations().len());
    // Nothing is said for those that say nothing.
    assert!(document.get("security").is_none());
}

#[test]
fn every_answer_of_400_tells_of_an_ambiguous_host() {
    for (path, method, operation) in CONTRACT.operations() {
        let answer = CONTRACT.schemas.resolve(&operation["responses"]["400"]);
        let types = &answer["content"]["application/problem+json"]["schema"]["properties"]["type"]["enum"];
        let has_it = types
            .as_array()
            .unwrap()
            .contains(&"urn:presque:problem:ambiguous-host".into());
        assert!(has_it, "{method} {path}");
    }
}

#[test]
fn every_name_in_a_path_is_a_parameter_and_every_method_is_known() {
    for (path, item) in members(CONTRACT.schemas.document().get("paths")) {
        let in_path: Vec<_> = path.split('/').filter_map(|part| part.strip_prefix('{')).collect();
        let parameters = item.get("parameters").and_then(Value::as_array).cloned();
        let parameters = parameters.unwrap_or_default();
        let names = parameters
            .iter()
            .map(|one| CONTRACT.schemas.resolve(one)["name"].as_str().unwrap());
        let names: Vec<_> = names.map(|name| format!("{name}}}")).collect();
        assert_eq!(in_path, names, "{path}");
        // What is not one of these would be passed over.
        let is_known = |(name, _): (&String, _)| name == "parameters" || METHODS.contains(&&**name);
        assert!(members(Some(item)).all(is_known), "{path}");
    }
}

#[test]
fn every_example_is_as_its_schema_says() {
    fn look(part: &Value, seen: &mut usize) {
        let one = part.get("example");
        let many = members(part.get("examples")).map(|(_, one)| &one["value"]);
        for example in one.into_iter().chain(many) {
            CONTRACT.fits("the example", &part["schema"], example).unwrap();
            *seen += 1;
        }
        match part {
            Value::Array(list) => list.iter().for_each(|one| look(one, seen)),
            Value::Object(object) => {
                let inside = object
                    .iter()
                    .filter(|(name, _)| *name != "schema" && *name != "schemas");
                inside.for_each(|(_, one)| look(one, seen));
            }
            _ => {}
        }
    }
    let mut seen = 0;
    look(CONTRACT.schemas.document(), &mut seen);
    assert!(seen > 30, "{seen}");
}

#[test]
fn every_problem_is_told_by_some_answer_and_has_a_row_for_people() {
    let document = CONTRACT.schemas.document();
    let all = document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"].clone();
    let responses = document["components"]["responses"].to_string();
    for problem in all.as_array().unwrap() {
        assert!(responses.contains(&problem.to_string()), "{problem}");
    }
    // docs/api.md has a table of them.
    let table = include_str!("../../../../docs/api.md");
    let table: BTreeSet<_> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|line| line.split('`'))
        .collect();
    for problem in all.as_array().unwrap() {
        let name = problem.as_str().unwrap().trim_start_matches("urn:presque:problem:");
        assert!(table.contains(name), "{name}");
    }
    // And each answer is one that can be met.
    let met = document["paths"].to_string();
    for (name, _) in members(document["components"].get("responses")) {
        let is_central = ["Options", "NotFound", "MethodNotAllowed"].contains(&&**name);
        assert!(is_central || met.contains(&format!("/{name}\"")), "{name}");
    }
}
