use std::os::unix::ffi::OsStringExt;

use super::*;

mod templates;

fn declared() -> BTreeMap<String, Variable> {
    let default = |text: &str| Variable {
        default: Some(text.to_owned()),
        ..Variable::default()
    };
    let required = |secret| Variable {
        required: true,
        secret,
        default: None,
    };
    BTreeMap::from([
        ("host".to_owned(), default("localhost")),
        ("user_name".to_owned(), required(false)),
        ("password".to_owned(), required(true)),
    ])
}

fn given(pairs: &[(&str, &str)]) -> Sources {
    let given = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Sources { given, dotenv: None }
}

fn resolve(sources: &Sources, environment: &[(&str, &str)]) -> Result<Resolved> {
    Resolved::with_environment(&declared(), sources, |name| {
        environment
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.into())
    })
}

fn resolved() -> Resolved {
    resolve(&given(&[("user_name", "ann"), ("password", "hunter2")]), &[]).unwrap()
}

fn component(hosts: &[&str], variables: &[(&str, &str)]) -> Component {
    Component {
        id: "queue".to_owned(),
        description: None,
        source: PathBuf::new(),
        allowed_outbound_hosts: hosts.iter().map(ToString::to_string).collect(),
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        environment: BTreeMap::new(),
    }
}

#[test]
fn a_value_comes_from_the_first_source_that_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".env");
    let all = "# comment\nSPIN_VARIABLE_HOST=dotenv\nSPIN_VARIABLE_USER_NAME=\"dot env\"\nSPIN_VARIABLE_PASSWORD=p\n";
    std::fs::write(&file, all).unwrap();
    let with = |pairs: &[(&str, &str)], environment: &[(&str, &str)]| {
        let sources = Sources {
            dotenv: Some(file.clone()),
            ..given(pairs)
        };
        resolve(&sources, environment)
            .unwrap()
            .render("{{ host }} {{ user_name }}")
            .unwrap()
    };
    assert_eq!(with(&[], &[]), "dotenv dot env");
    assert_eq!(
        with(&[], &[("SPIN_VARIABLE_HOST", "environment")]),
        "environment dot env"
    );
    assert_eq!(
        with(&[("host", "given")], &[("SPIN_VARIABLE_HOST", "environment")]),
        "given dot env"
    );
    assert_eq!(with(&[("host", "first"), ("host", "last")], &[]), "last dot env");
    assert_eq!(
        with(&[("user_name", "ann")], &[("SPIN_VARIABLE_HOST", "")]),
        " ann",
        "empty is a value too"
    );
    assert_eq!(
        with(&[], &[("SPIN_VARIABLE_host", "x"), ("HOST", "x")]),
        "dotenv dot env"
    );
    std::fs::write(&file, "SPIN_VARIABLE_USER_NAME=a\nSPIN_VARIABLE_PASSWORD=p\n").unwrap();
    assert_eq!(with(&[], &[]), "localhost a", "the manifest's default is last");
}

#[test]
fn missing_values_are_all_named_with_the_ways_to_set_them() {
    let error = resolve(&Sources::default(), &[]).unwrap_err().to_string();
    let parts: Vec<&str> = error.split("; ").collect();
    assert_eq!(parts.len(), 2, "all in one line");
    assert_eq!(
        parts[1],
        "variable 'user_name' is required and has no value: give --variable user_name=VALUE, \
         set SPIN_VARIABLE_USER_NAME in the environment, or write SPIN_VARIABLE_USER_NAME=VALUE into .env"
    );
}

#[test]
fn a_given_name_that_is_not_declared_is_refused() {
    let error = resolve(&given(&[("user-name", "ann")]), &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "--variable user-name=...: the manifest has no variable 'user-name'; it has host, password, user_name"
    );
}

#[test]
fn a_dotenv_file_need_not_exist_but_must_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".env");
    let sources = Sources {
        dotenv: Some(file.clone()),
        ..given(&[("user_name", "ann"), ("password", "hunter2")])
    };
    resolve(&sources, &[]).unwrap();
    std::fs::write(&file, "A=1\n\nSPIN_VARIABLE_PASSWORD hunter2\n").unwrap();
    let error = resolve(&sources, &[]).unwrap_err().to_string();
    assert_eq!(error, format!("{}: line 3 is not NAME=value", file.display()));
}

#[test]
fn a_value_that_is_not_utf8_is_refused() {
    let error = Resolved::with_environment(&declared(), &Sources::default(), |_| {
        Some(OsString::from_vec(vec![0xff]))
    })
    .unwrap_err()
    .to_string();
    assert_eq!(error, "SPIN_VARIABLE_HOST in the environment is not UTF-8");
}

#[test]
fn a_secret_is_never_shown() {
    let resolved = resolved();
    assert!(format!("{resolved:?}").contains("ann"));
    let refusal = |entry: &str| {
        resolved
            .allowed_hosts(&component(&[entry], &[]))
            .unwrap_err()
            .to_string()
    };
    let shown = [
        format!("{resolved:?}"),
        format!("{:?}", given(&[("password", "hunter2")])),
        refusal("{{ password }}"),
        refusal("redis://{{ user_name }}:{{ password }}@{{ host }}"),
        refusal("redis://{{ host }}:{{ password }}"),
        resolved.render("{{ password }} {{ other }}").unwrap_err().to_string(),
    ];
    for text in shown {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_variable_can_be_given_in_several_forms() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("value.txt"), "from a file").unwrap();
    std::fs::write(path("all.toml"), "a = \"1\"\nb = \"2\"\n").unwrap();
    std::fs::write(path("bad.toml"), "a = hunter2").unwrap();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(parse_given("a=b=c").unwrap(), [pair("a", "b=c")]);
    assert_eq!(parse_given("a=").unwrap(), [pair("a", "")]);
    assert_eq!(
        parse_given(&format!("a=@{}", path("value.txt"))).unwrap(),
        [pair("a", "from a file")]
    );
    assert_eq!(
        parse_given(&format!("@{}", path("all.toml"))).unwrap(),
        [pair("a", "1"), pair("b", "2")]
    );
    for bad in [
        "hunter2",
        "@x.json",
        "a=@/no/such/file",
        &format!("@{}", path("bad.toml")),
    ] {
        let error = format!("{:#}", parse_given(bad).unwrap_err());
        assert!(error.starts_with("--variable") && !error.contains("hunter2"), "{error}");
    }
}
