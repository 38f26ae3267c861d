//! What is no manifest, or not one for this host.

use super::*;

#[test]
fn only_version_2_is_taken() {
    assert_eq!(refusal("name = \"x\""), "there is no 'spin_manifest_version = 2'");
    assert_eq!(
        refusal("spin_manifest_version = \"1\""),
        "spin_manifest_version is \"1\"; only version 2 is served"
    );
}

#[test]
fn what_is_no_manifest_is_refused_with_its_line() {
    assert!(refusal("spin_manifest_version = 2\nx = = 1").starts_with("line 2: "));
    let unknown = refusal(&format!("{HEAD}[component.a]\nsource = \"a\"\nallowed_hosts = []\n"));
    assert!(
        unknown.starts_with("line 6: unknown field `allowed_hosts`"),
        "{unknown}"
    );
    assert!(refusal("spin_manifest_version = 2\n").contains("missing field `application`"));
    assert!(refusal("spin_manifest_version = 2\n[application]\n").contains("missing field `name`"));
}

#[test]
fn something_must_be_served() {
    assert_eq!(refusal(HEAD), "there is no [[trigger.http]]: nothing to serve");
    let redis = refusal(&format!(
        "{HEAD}[[trigger.redis]]\nchannel = \"c\"\ncomponent = \"a\"\n"
    ));
    assert_eq!(
        redis,
        "[[trigger.redis]] is not supported: only http triggers are served"
    );
}

#[test]
fn a_bad_trigger_is_refused() {
    let trigger = |lines: &str| refusal_with("", &format!("[[trigger.http]]\n{lines}"));
    let cases = [
        (
            "route = \"/x\"\ncomponent = \"other\"",
            "with route \"/x\": there is no component 'other'; the manifest has queue",
        ),
        (
            "route = \"/x\"\ncomponent = { source = \"a.wasm\" }",
            "with route \"/x\": a component inside a trigger",
        ),
        (
            "id = \"t\"\nroute = \"/x\"",
            "'t': has neither 'component' nor 'static_response'",
        ),
        (
            "route = \"/x\"\ncomponent = \"queue\"\nstatic_response = {}",
            "with route \"/x\": has both",
        ),
        (
            "route = \"/x\"\nstatic_response = { status_code = 99 }",
            "with route \"/x\": status_code 99",
        ),
        (
            "route = \"/x\"\nstatic_response = { headers = { \"a b\" = \"\" } }",
            "with route \"/x\": its static_response has a header 'a b'",
        ),
        (
            "route = { private = false }\ncomponent = \"queue\"",
            "number 2: its route must be a pattern",
        ),
        (
            "route = 1\ncomponent = \"queue\"",
            "number 2: its route must be a pattern",
        ),
        (
            "route = \"/x\"\ncomponent = \"queue\"\nexecutor = { type = \"wagi\" }",
            "with route \"/x\": its executor",
        ),
        (
            "route = \"/x\"\ncomponent = \"queue\"\ncomponents = {}",
            "with route \"/x\": 'components' is not supported",
        ),
    ];
    for (lines, expected) in cases {
        let error = trigger(lines);
        assert!(
            error.starts_with(&format!("[[trigger.http]] {expected}")),
            "{lines}: {error}"
        );
    }
}

#[test]
fn a_bad_component_is_refused() {
    let cases = [
        ("files = [\"a\"]", "'files' is not supported"),
        ("allowed_http_hosts = [\"a\"]", "'allowed_http_hosts' is not supported"),
        ("dependencies = { \"a:b\" = \"1\" }", "'dependencies' is not supported"),
        (
            "allowed_outbound_hosts = [\"localhost\"]",
            "allowed_outbound_hosts entry 'localhost' has no scheme",
        ),
        (
            "allowed_outbound_hosts = [\"{{ other }}\"]",
            "allowed_outbound_hosts: template \"{{ other }}\" refers to 'other'",
        ),
        (
            "allowed_outbound_hosts = [\"{{ other\"]",
            "allowed_outbound_hosts: template \"{{ other\" has a '{{'",
        ),
        (
            "variables = { a = \"{{ other }}\" }",
            "variable 'a': template \"{{ other }}\" refers to 'other'",
        ),
        ("variables = { A = \"\" }", "variable name 'A' is not allowed"),
    ];
    for (line, expected) in cases {
        let error = refusal_with(line, "");
        assert!(
            error.starts_with(&format!("component 'queue': {expected}")),
            "{line}: {error}"
        );
    }
    let source = |source: &str| refusal_with("", &format!("[component.b]\nsource = {source}"));
    assert!(source("{ url = \"https://x/y.wasm\", digest = \"sha256:1\" }").contains("only local files are served"));
    assert!(source("{ package = \"a:b\", version = \"1.0.0\" }").contains("only local files are served"));
    assert!(source("3").contains("must be the path of a Wasm file"));
}

#[test]
fn component_ids_follow_the_rule() {
    let id = |id: &str| with("", &format!("[component.\"{id}\"]\nsource = \"a.wasm\""));
    for good in ["a", "my-queue", "a1", "a-1", "AB-c"] {
        assert!(id(good).is_ok(), "{good}");
    }
    for bad in ["", "1a", "my_queue", "a--b", "-a", "a-", "aB", "a.b", "é"] {
        assert!(id(bad).is_err(), "{bad}");
    }
}

#[test]
fn variable_names_follow_the_rule() {
    let text = |name: &str| {
        format!(
            "{HEAD}[variables]\n\"{name}\" = {{ default = \"\" }}\n[[trigger.http]]\nroute = \"/\"\nstatic_response = {{}}\n"
        )
    };
    for good in ["a", "abc", "a1b2", "a_1", "a_1_b_3"] {
        assert!(Manifest::parse(&text(good), Path::new("/")).is_ok(), "{good}");
    }
    for bad in ["", "aX", "1bc", "_x", "x.y", "x_", "a__b", "x-y", "é"] {
        assert!(
            refusal(&text(bad)).starts_with(&format!("variable name '{bad}' is not allowed")),
            "{bad}"
        );
    }
}

#[test]
fn a_variable_is_required_or_has_a_default() {
    let variable = |lines: &str| {
        refusal(&format!(
            "{HEAD}[variables]\nv = {lines}\n[[trigger.http]]\nroute = \"/\"\nstatic_response = {{}}\n"
        ))
    };
    assert_eq!(variable("{}"), "variable 'v' needs 'required = true' or a default");
    assert!(variable("{ required = true, default = \"x\" }").starts_with("variable 'v' is required and has a default"));
    assert!(variable("{ default = 1 }").starts_with("line 5: invalid type"));
}
