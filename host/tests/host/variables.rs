//! Where the values of variables come from, and which a component sees.

use super::support::Site;

const VARIABLES: &str = r#"
spin_manifest_version = 2
application = { name = "test" }
[variables]
a = { default = "default" }
b = { default = "default" }
c = { default = "default" }
d = { default = "default" }
secret = { required = true, secret = true }
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = "GUEST"
environment = { MODE = "test" }
variables = { a = "{{ a }}", b = "{{ b }}", c = "{{ c }}", d = "{{ d }}", renamed = "<{{ a }}{{ d }}>" }
"#;

#[tokio::test]
async fn an_argument_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let site = Site::new(VARIABLES)
        .file(
            ".env",
            "SPIN_VARIABLE_A=file\nSPIN_VARIABLE_B=file\nSPIN_VARIABLE_C=file\n",
        )
        .environment("SPIN_VARIABLE_A", "environment")
        .environment("SPIN_VARIABLE_B", "environment");
    let host = site
        .start(&["--variable", "a=argument", "--variable", "secret=s"])
        .await;
    for (path, value) in [
        ("/variable?a", "value argument"),
        ("/variable?b", "value environment"),
        ("/variable?c", "value file"),
        ("/variable?d", "value default"),
        ("/variable?renamed", "value <argumentdefault>"),
    ] {
        assert_eq!(host.get(path).await.into_text(), value, "{path}");
    }
}

#[tokio::test]
async fn a_component_sees_only_the_variables_that_are_mapped_for_it() {
    let host = Site::new(VARIABLES).start(&["--variable", "secret=s"]).await;
    for name in ["secret", "no_such_one"] {
        let told = host.get(&format!("/variable?{name}")).await.into_text();
        assert!(told.starts_with("Error::Undefined"), "{told}");
        assert!(told.contains(name), "{told}");
    }
}

#[tokio::test]
async fn a_component_sees_no_environment_but_its_manifests() {
    let host = Site::new(VARIABLES)
        .environment("SPIN_VARIABLE_SECRET", "s")
        .start(&[])
        .await;
    assert_eq!(host.get("/environment").await.into_text(), "MODE=test\n");
}
