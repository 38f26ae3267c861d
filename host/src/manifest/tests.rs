use super::*;

mod refusals;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"jobs\"\n";

/// A manifest of one component, `queue`, with more lines for it and after it.
fn with(component: &str, after: &str) -> Result<Manifest> {
    let text = format!(
        "{HEAD}\n[variables]\nredis_url = {{ default = \"redis://localhost:6379\" }}\n\
         [[trigger.http]]\nroute = \"/q/...\"\ncomponent = \"queue\"\n\
         [component.queue]\nsource = \"queue.wasm\"\n{component}\n{after}\n"
    );
    Manifest::parse(&text, Path::new("/app"))
}

fn refusal(text: &str) -> String {
    let error = Manifest::parse(text, Path::new("/app")).unwrap_err();
    let error = format!("{error:#}");
    assert!(!error.contains('\n'), "more than one line: {error}");
    error
}

fn refusal_with(component: &str, after: &str) -> String {
    format!("{:#}", with(component, after).unwrap_err())
}

#[test]
fn a_manifest_with_all_that_is_served() {
    let text = r#"
        spin_manifest_version = 2
        [application]
        name = "jobs"
        version = "1.0.0"
        description = "d"
        authors = ["A <a@example.com>"]
        targets = ["spin-up:4.1"]
        [application.tool.lint]
        level = 3
        [variables]
        redis_url = { default = "redis://localhost:6379", description = "where" }
        token2_x = { required = true, secret = true }
        [[trigger.http]]
        id = "main"
        route = "/q/..."
        component = "queue"
        executor = { type = "http" }
        [[trigger.http]]
        route = { private = true }
        component = "queue"
        [[trigger.http]]
        route = "/robots.txt"
        static_response = { headers = { content-type = "text/plain" }, body = "no" }
        [[trigger.http]]
        route = "/gone"
        static_response = { status_code = 410 }
        [component.queue]
        source = "target/queue.wasm"
        description = "d"
        allowed_outbound_hosts = ["{{ redis_url }}", "redis://other:6379"]
        key_value_stores = ["default"]
        sqlite_databases = ["default"]
        ai_models = ["m"]
        files = []
        exclude_files = ["x"]
        dependencies_inherit_configuration = true
        environment = { LEVEL = "{{ not a template }}" }
        variables = { redis = "{{ redis_url }}/0", token = "{{token2_x}}" }
        [component.queue.build]
        command = "cargo build"
        [component.queue.profile.debug]
        source = "x.wasm"
        [component.unused-1]
        source = "/abs/unused.wasm"
    "#;
    let manifest = Manifest::parse(text, Path::new("/app")).unwrap();
    assert_eq!(manifest.name, "jobs");
    assert_eq!(manifest.dir, Path::new("/app"));
    assert_eq!(
        manifest.variables["redis_url"].default.as_deref(),
        Some("redis://localhost:6379")
    );
    assert!(manifest.variables["token2_x"].required && manifest.variables["token2_x"].secret);

    let component = |id: &str| Handler::Component(id.to_owned());
    assert_eq!(manifest.routes.len(), 4);
    assert_eq!(
        manifest.routes[0],
        Trigger {
            route: Route::Path("/q/...".to_owned()),
            handler: component("queue")
        }
    );
    assert_eq!(manifest.routes[1].route, Route::Private);
    let Handler::Static(robots) = &manifest.routes[2].handler else {
        unreachable!()
    };
    assert_eq!((robots.status_code, robots.body.as_str()), (200, "no"));
    assert_eq!(robots.headers["content-type"], "text/plain");
    let Handler::Static(gone) = &manifest.routes[3].handler else {
        unreachable!()
    };
    assert_eq!((gone.status_code, gone.body.as_str(), gone.headers.len()), (410, "", 0));

    let queue = &manifest.components["queue"];
    assert_eq!(queue.id, "queue");
    assert_eq!(queue.source, Path::new("/app/target/queue.wasm"));
    assert_eq!(queue.allowed_outbound_hosts, ["{{ redis_url }}", "redis://other:6379"]);
    assert_eq!(queue.variables["redis"], "{{ redis_url }}/0");
    assert_eq!(queue.environment["LEVEL"], "{{ not a template }}");
    assert_eq!(manifest.components["unused-1"].source, Path::new("/abs/unused.wasm"));
}

#[test]
fn a_file_or_its_directory_can_be_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("spin.toml");
    let text =
        format!("{HEAD}[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n[component.a]\nsource = \"a.wasm\"\n");
    std::fs::write(&file, text).unwrap();
    for path in [dir.path(), file.as_path()] {
        let manifest = Manifest::load(path).unwrap();
        assert_eq!(manifest.components["a"].source, dir.path().join("a.wasm"));
    }
}

#[test]
fn a_load_error_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Manifest::load(dir.path()).unwrap_err().to_string();
    assert!(
        missing.starts_with(&format!("cannot read {}", dir.path().join("spin.toml").display())),
        "{missing}"
    );
    std::fs::write(dir.path().join("other.toml"), "spin_manifest_version = 3").unwrap();
    let file = dir.path().join("other.toml");
    let bad = Manifest::load(&file).unwrap_err().to_string();
    assert_eq!(
        bad,
        format!(
            "{}: spin_manifest_version is 3; only version 2 is served",
            file.display()
        )
    );
}

#[test]
fn a_secret_default_is_not_shown() {
    let variable = Variable {
        default: Some("hunter2".to_owned()),
        required: false,
        secret: true,
    };
    assert!(!format!("{variable:?}").contains("hunter2"));
}

fn two_components() -> Manifest {
    let text = format!(
        "{HEAD}[variables]\nv = {{ required = true }}\n\
         [[trigger.http]]\nroute = \"/a\"\ncomponent = \"a\"\n\
         [[trigger.http]]\nroute = \"/b\"\ncomponent = \"b\"\n\
         [[trigger.http]]\nroute = \"/c\"\nstatic_response = {{}}\n\
         [component.a]\nsource = \"a.wasm\"\n[component.b]\nsource = \"b.wasm\"\n[component.idle]\nsource = \"i.wasm\"\n"
    );
    Manifest::parse(&text, Path::new("/app")).unwrap()
}

#[test]
fn only_some_components_can_be_kept() {
    let mut manifest = two_components();
    manifest.keep_only(&["b".to_owned()]).unwrap();
    assert_eq!(manifest.components.keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(manifest.routes.len(), 1);
    assert_eq!(manifest.routes[0].route, Route::Path("/b".to_owned()));
    assert!(manifest.variables.contains_key("v"));
}

#[test]
fn keeping_none_keeps_all() {
    let mut manifest = two_components();
    manifest.keep_only(&[]).unwrap();
    assert_eq!((manifest.components.len(), manifest.routes.len()), (3, 3));
}

#[test]
fn a_component_to_keep_must_be_there_and_have_a_trigger() {
    let mut manifest = two_components();
    let error = manifest
        .keep_only(&["a".to_owned(), "z".to_owned()])
        .unwrap_err()
        .to_string();
    assert_eq!(error, "there is no component 'z'; the manifest has a, b, idle");
    let error = manifest.keep_only(&["idle".to_owned()]).unwrap_err().to_string();
    assert_eq!(error, "component 'idle' has no [[trigger.http]]: nothing to serve");
    assert_eq!(manifest.components.len(), 3);
}

#[test]
fn a_start_tells_the_routes_and_where_described_components_are() {
    let more = "[[trigger.http]]\nroute = \"/\"\ncomponent = \"queue\"";
    let manifest = with("description = \"The page\"", more).unwrap();
    let mut serving = crate::Serving {
        manifest: &manifest,
        address: "127.0.0.1:3000".parse().unwrap(),
        store: Some(crate::Store::Other("db:6379".into())),
    };
    assert_eq!(
        serving.text(),
        "Serving http://127.0.0.1:3000\n  /q/...  ->  queue\n  /  ->  queue\nThe page: http://127.0.0.1:3000/\n\
         The jobs: Redis at db:6379\n"
    );
    // A browser cannot open the address that stands for all.
    serving.address = "0.0.0.0:3000".parse().unwrap();
    assert_eq!(serving.pages(), [("The page", "http://127.0.0.1:3000/".to_owned())]);
}
