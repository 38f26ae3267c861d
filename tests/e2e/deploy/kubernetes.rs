//! What `deploy/` has for Kubernetes: SpinKube's objects, those that scale them, and the route to them.

use super::{groups, path, read, routes};
use crate::support::{Definitions, yaml};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const FILES: [&str; 5] = [
    "deploy/kubernetes/executor.yaml",
    "deploy/kubernetes/spinapps.yaml",
    "deploy/kubernetes/autoscalers.yaml",
    "deploy/kubernetes/route.yaml",
    "deploy/keda/scaledobject.yaml",
];

fn objects() -> Vec<Value> {
    FILES.iter().flat_map(|file| yaml(&read(file))).collect()
}

/// The objects of a kind, by name.
fn of_kind(kind: &str) -> BTreeMap<String, Value> {
    let objects = objects().into_iter().filter(|object| object["kind"] == kind);
    let named = objects.map(|object| (text(&object["metadata"]["name"]), object));
    named.collect()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
        .to_owned()
}

/// The group that a SpinApp serves, by the SpinApp's name. That is the name of its Deployment and of its Service, too.
fn apps() -> BTreeMap<String, String> {
    let group = |app: &Value| match app["spec"]["components"].as_array().map(Vec::as_slice) {
        Some([group]) => text(group),
        other => panic!("not one group: {other:?}"),
    };
    of_kind("SpinApp")
        .iter()
        .map(|(name, app)| (name.clone(), group(app)))
        .collect()
}

#[test]
fn the_objects_are_as_the_definitions_of_spinkube_and_keda_have_them() {
    let folder = path("../shared/kubernetes");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("passed over: there are no definitions in {}", folder.display());
        return;
    };
    let mut definitions = Definitions::default();
    for entry in entries {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "yaml") {
            let documents = yaml(&std::fs::read_to_string(&file).unwrap());
            documents.iter().for_each(|definition| definitions.add(definition));
        }
    }
    let mut checked: BTreeMap<_, usize> = BTreeMap::new();
    for object in objects() {
        if let Some(wrong) = definitions.check(&object) {
            let name = format!("{} {}", object["kind"], object["metadata"]["name"]);
            assert!(wrong.is_empty(), "{name}: {wrong:?}");
            *checked.entry(text(&object["kind"])).or_default() += 1;
        }
    }
    let expected = [("ScaledObject", 1), ("SpinApp", groups().len()), ("SpinAppExecutor", 1)];
    assert_eq!(checked, expected.map(|(kind, count)| (kind.to_owned(), count)).into());
}

#[test]
fn each_group_of_routes_is_a_spinapp_run_by_a_spin_that_serves_its_components() {
    assert_eq!(
        apps().into_values().collect::<BTreeSet<_>>(),
        groups().into_iter().collect()
    );
    assert_eq!(apps().len(), groups().len());
    let executors = of_kind("SpinAppExecutor");
    let manifest = read("spin.toml");
    let autoscaled = of_kind("HorizontalPodAutoscaler");
    for (name, app) in of_kind("SpinApp") {
        let spec = &app["spec"];
        let executor = &executors[&text(&spec["executor"])]["spec"];
        assert_eq!(executor["createDeployment"], true);
        let image = text(&executor["deploymentConfig"]["spinImage"]);
        let version = image
            .rsplit(':')
            .next()
            .unwrap()
            .split('.')
            .map(|part| part.parse::<u32>().unwrap());
        assert!(version.collect::<Vec<_>>() >= vec![4, 1], "{image}");
        // The two exclude each other, and so do these.
        assert_eq!(executor["deploymentConfig"].get("runtimeClassName"), None);
        assert_eq!(
            spec["enableAutoscaling"] == true,
            autoscaled.contains_key(&name),
            "{name}"
        );
        assert_eq!(
            spec["replicas"].as_u64().is_some(),
            !autoscaled.contains_key(&name),
            "{name}"
        );
        let version = format!(":{}", env!("CARGO_PKG_VERSION"));
        assert!(text(&spec["image"]).ends_with(&version), "{}", spec["image"]);
        for variable in spec["variables"].as_array().unwrap() {
            let variable_name = text(&variable["name"]);
            let declared = manifest
                .lines()
                .find(|line| line.starts_with(&format!("{variable_name} = {{ default")));
            let declared = declared.unwrap_or_else(|| panic!("{name}: spin.toml has no variable {variable_name}"));
            let is_secret = variable["valueFrom"]["secretKeyRef"]["key"].is_string();
            assert_eq!(declared.contains("secret = true"), is_secret, "{name}: {variable_name}");
        }
    }
    for (name, scaler) in autoscaled {
        let target = &scaler["spec"]["scaleTargetRef"];
        assert_eq!((&target["kind"], &target["name"]), (&"Deployment".into(), &name.into()));
    }
}

#[test]
fn the_route_leads_each_path_to_the_group_that_spin_toml_names() {
    let apps = apps();
    let route = &of_kind("HTTPRoute")["presque"];
    let mut led = BTreeMap::new();
    for rule in route["spec"]["rules"].as_array().unwrap() {
        let backend = &rule["backendRefs"][0];
        assert_eq!(backend["port"], 80);
        // None: streams go on.
        assert_eq!(rule["timeouts"]["request"], "0s");
        for path in rule["matches"].as_array().unwrap() {
            let path = &path["path"];
            let value = text(&path["value"]);
            let spin = match &*text(&path["type"]) {
                "PathPrefix" => format!("{value}/..."),
                "Exact" if value.len() > 1 => value.trim_end_matches('/').to_owned(),
                "Exact" => value,
                other => panic!("{other}"),
            };
            led.insert(spin, apps[&text(&backend["name"])].clone());
        }
    }
    assert_eq!(led, routes().into_iter().collect());
}

#[test]
fn the_scaler_of_workers_asks_the_service_of_v1() {
    let [scaler] = &of_kind("ScaledObject").into_values().collect::<Vec<_>>()[..] else {
        panic!("one scaler");
    };
    let url = text(&scaler["spec"]["triggers"][0]["metadata"]["url"]);
    let host = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split('/').next())
        .unwrap();
    // KEDA asks from a namespace of its own, where a name without one is not known.
    let (name, namespace) = host
        .split_once('.')
        .unwrap_or_else(|| panic!("{host} has no namespace"));
    assert!(
        namespace.strip_suffix(".svc").is_some_and(|name| !name.is_empty()),
        "{host}"
    );
    assert_eq!(apps()[name], "v1");
    let app = &of_kind("SpinApp")[name];
    let hosts = app["spec"]["variables"]
        .as_array()
        .unwrap()
        .iter()
        .find(|variable| variable["name"] == "allowed_hosts");
    assert!(text(&hosts.unwrap()["value"]).split(' ').any(|name| name == host));
}
