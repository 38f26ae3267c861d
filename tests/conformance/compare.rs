//! When two bodies are the same.

use serde_json::Value;

/// The members whose arrays are sets.
const SETS: [&str; 2] = ["queues", "workers_list"];

/// Whether two bodies are the same: as JSON when both are, else byte for byte.
pub fn same_body(expected: &str, got: &str) -> bool {
    match (serde_json::from_str(expected), serde_json::from_str(got)) {
        (Ok(expected), Ok(got)) => expected == got || sets_sorted(expected) == sets_sorted(got),
        _ => expected == got,
    }
}

/// The value with its sets in order. An array of plain names alone is the list of workers, a set too.
fn sets_sorted(mut value: Value) -> Value {
    match &mut value {
        Value::Array(names) if names.iter().all(is_name) => sort(names),
        Value::Object(members) => {
            for name in SETS {
                if let Some(Value::Array(names)) = members.get_mut(name) {
                    sort(names);
                }
            }
        }
        _ => {}
    }
    value
}

/// A batch is an array of strings as well, but its strings are JSON texts, and their order counts.
fn is_name(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| serde_json::from_str::<Value>(text).is_err())
}

fn sort(names: &mut [Value]) {
    names.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
}

#[test]
fn types_and_order_count_except_in_sets() {
    assert!(same_body("{\"a\":1,\"b\":2}", "{ \"b\":2, \"a\":1 }"));
    assert!(same_body("{\"queues\":[\"x\",\"y\"]}", "{\"queues\":[\"y\",\"x\"]}"));
    assert!(same_body("[\"w2\",\"w1\"]", "[\"w1\",\"w2\"]"));
    assert!(!same_body("{\"a\":\"7\"}", "{\"a\":7}"));
    assert!(!same_body("[\"1\",\"2\"]", "[\"2\",\"1\"]"));
    assert!(!same_body("[1,2]", "[2,1]"));
    assert!(!same_body("", "null"));
}
