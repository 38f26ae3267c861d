//! Templates, and what a component gets of them.

use super::*;

#[test]
fn a_template_is_rendered() {
    let cases = [
        ("", ""),
        ("plain", "plain"),
        ("{{ host }}", "localhost"),
        ("{{host}}", "localhost"),
        ("redis://{{ host }}:6379/{{user_name}}!", "redis://localhost:6379/ann!"),
        ("{{ host }}{{ host }}", "localhostlocalhost"),
        // No escapes: single braces, and an end without its start, are text.
        ("{ host } }}", "{ host } }}"),
        ("\\{{ host }}", "\\localhost"),
    ];
    for (template, expected) in cases {
        assert_eq!(resolved().render(template).unwrap(), expected, "{template}");
    }
}

#[test]
fn a_bad_template_is_refused() {
    let refusal = |template: &str| resolved().render(template).unwrap_err().to_string();
    assert_eq!(
        refusal("a {{ host"),
        "template \"a {{ host\" has a '{{' without its '}}'"
    );
    assert!(refusal("{{ other }}").contains("refers to 'other'"));
    assert!(refusal("{{ Host }}").contains("refers to 'Host'"));
    assert!(refusal("{{ }}").contains("refers to ''"));
}

#[test]
fn a_value_is_not_a_template() {
    let resolved = resolve(&given(&[("user_name", "{{ password }}"), ("password", "p")]), &[]).unwrap();
    assert_eq!(resolved.render("{{ user_name }}").unwrap(), "{{ password }}");
}

#[test]
fn a_component_sees_what_it_maps() {
    let component = component(&[], &[("redis", "redis://{{ host }}"), ("limit", "3")]);
    let values = resolved().for_component(&component).unwrap();
    assert_eq!(values.len(), 2);
    assert_eq!(values["redis"], "redis://localhost");
    assert_eq!(values["limit"], "3");
}

#[test]
fn the_hosts_of_a_component_are_rendered() {
    let hosts = resolved()
        .allowed_hosts(&component(&["redis://{{ host }}:6379"], &[]))
        .unwrap();
    assert!(hosts.allows("redis", "localhost", 6379));
    assert!(!hosts.allows("redis", "other", 6379));
}

#[test]
fn a_bad_host_is_named_with_its_template() {
    let refusal = |entry: &str| {
        resolved()
            .allowed_hosts(&component(&[entry], &[]))
            .unwrap_err()
            .to_string()
    };
    let error = refusal("redis://{{ host }}/0");
    assert!(
        error.starts_with(
            "allowed_outbound_hosts of component 'queue': entry \"redis://{{ host }}/0\" \
             has the value 'redis://localhost/0', which has something after"
        ),
        "{error}"
    );
    assert!(refusal("{{ user_name }}").contains("has the value 'ann', which has no scheme"));
}
