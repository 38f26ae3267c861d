//! docs/openapi.yaml asks for what the gate asks for.

use crate::support::operations;
use presque::gate::Operation;
use std::collections::BTreeMap;

/// The document has a path for each verb that a receipt can be used with.
const VERBS: [&str; 3] = ["ack", "nack", "extend"];

#[test]
fn the_document_has_each_operation_of_v1_with_its_scope_and_no_other() {
    let of_v1 = Operation::ALL
        .iter()
        .filter(|operation| operation.route().contains(" /v1/"));
    let expected: BTreeMap<_, _> = of_v1
        .flat_map(|operation| {
            let route = |verb| operation.route().replace("{verb}", verb);
            VERBS.map(|verb| (route(verb), operation.scope().name().to_owned()))
        })
        .collect();
    assert_eq!(operations(), expected);
}
