use super::*;
use serde_json::json;

fn wrong(schema: Value, value: Value) -> String {
    let mut schemas = Schemas::new(json!({"positive": {"type": "number", "exclusiveMinimum": 0}}));
    schemas.prepare(&schema);
    schemas.check(&schema, &value).join(" | ")
}

#[test]
fn each_keyword_finds_what_is_wrong_and_nothing_else() {
    let either = json!({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]});
    let cases = [
        (json!({"type": ["integer", "null"]}), json!(null), json!(1.5)),
        (json!({"const": "a"}), json!("a"), json!("b")),
        (json!({"enum": ["a", 1]}), json!(1), json!("b")),
        (json!({"minimum": 1, "maximum": 2}), json!(2), json!(0)),
        (json!({"minimum": 1, "maximum": 2}), json!("text"), json!(3)),
        (json!({"exclusiveMinimum": 1}), json!(1.1), json!(1)),
        (json!({"minLength": 1, "maxLength": 2}), json!("éé"), json!("")),
        (json!({"minLength": 1, "maxLength": 2}), json!("a"), json!("abc")),
        (json!({"minItems": 1, "maxItems": 2}), json!([1]), json!([])),
        (json!({"minItems": 1, "maxItems": 2}), json!([1, 2]), json!([1, 2, 3])),
        (json!({"minProperties": 1}), json!({"a": 1}), json!({})),
        (json!({"pattern": "^a+$"}), json!("aa"), json!("ab")),
        (json!({"required": ["a"]}), json!({"a": null}), json!({})),
        (json!({"items": {"type": "string"}}), json!(["a"]), json!(["a", 1])),
        (json!({"$ref": "#/positive"}), json!(1), json!(0)),
        (json!({"properties": {"a": false}}), json!({"b": 1}), json!({"a": 1})),
        (json!({"not": {"type": "string"}}), json!(1), json!("a")),
        (either.clone(), json!({"a": 1}), json!({})),
        (either, json!({"b": 1}), json!({"a": 1, "b": 1})),
        (json!({"anyOf": [{"type": "null"}, {"minimum": 1}]}), json!(1), json!(0)),
        (json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}), json!(1), json!(3)),
        (
            json!({"if": {"minimum": 1}, "then": {"maximum": 2}, "else": false}),
            json!(2),
            json!(3),
        ),
        (
            json!({"if": {"minimum": 1}, "then": {"maximum": 2}, "else": false}),
            json!(1),
            json!(0),
        ),
        (
            json!({"properties": {"a": true}, "additionalProperties": false}),
            json!({"a": 1}),
            json!({"b": 1}),
        ),
        (
            json!({"additionalProperties": {"type": ["string", "number"]}}),
            json!({"a": 1, "b": ""}),
            json!({"a": [1]}),
        ),
    ];
    for (schema, right, bad) in cases {
        assert_eq!(wrong(schema.clone(), right.clone()), "", "{schema} {right}");
        assert_ne!(wrong(schema.clone(), bad.clone()), "", "{schema} {bad}");
    }
}

#[test]
fn members_are_evaluated_by_the_parts_that_fit() {
    let part = |name: &str| json!({"properties": {name: true}, "required": [name]});
    let schema = json!({"allOf": [part("a")], "oneOf": [part("b"), part("c")], "unevaluatedProperties": false});
    assert_eq!(wrong(schema.clone(), json!({"a": 1, "b": 2})), "");
    assert_eq!(wrong(schema, json!({"a": 1, "b": 2, "d": 3})), "/d: not known");
}

#[test]
#[should_panic(expected = "not known: uniqueItems")]
fn a_keyword_that_is_not_known_is_refused() {
    wrong(json!({"items": {"uniqueItems": true}}), json!([]));
}
