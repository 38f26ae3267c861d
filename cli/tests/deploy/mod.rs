//! What runs the command elsewhere: `deploy/container`, `deploy/systemd`, `.github/workflows`. No container is made here.

use crate::commands::FILES;
use crate::support::is_understood;
use presque_testkit::yaml;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

const PRESQUE: &str = env!("CARGO_BIN_EXE_presque");

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap_or_else(|| panic!("{list} is no list"));
    list.iter().map(|text| text.as_str().expect("a text")).collect()
}

#[test]
fn compose_keeps_each_job_before_it_is_told_of_and_lets_nobody_in_without_a_key() {
    let compose = yaml(&read("deploy/container/compose.yaml")).remove(0);
    let services = &compose["services"];
    let valkey = texts(&services["valkey"]["command"]).join(" ");
    for setting in [
        "--appendonly yes",
        "--appendfsync always",
        "--maxmemory-policy noeviction",
    ] {
        assert!(valkey.contains(setting), "{setting}: {valkey}");
    }
    assert_eq!(services["valkey"]["volumes"][0], "jobs:/data");
    assert_eq!(compose["networks"]["store"]["internal"], true);
    assert_eq!(texts(&services["valkey"]["networks"]), ["store"]);

    let presque = &services["presque"];
    assert_eq!(texts(&presque["ports"]), ["127.0.0.1:3000:3000"]);
    assert_eq!(presque["depends_on"]["valkey"]["condition"], "service_healthy");
    let command = texts(&presque["command"]);
    is_understood(&command);
    assert!(command.contains(&"keys=@/run/secrets/keys") && !command.contains(&"--lan"));
    assert_eq!(presque["secrets"][0], "keys");
    let health = texts(&presque["healthcheck"]["test"]);
    assert_eq!(health[..2], ["CMD", "/usr/local/bin/presque"]);
    is_understood(&health[2..]);
}

#[test]
fn the_images_run_the_command_without_root_and_look_after_it() {
    let text = read("deploy/container/Containerfile");
    let stages: Vec<&str> = text.split("\nFROM ").skip(1).collect();
    let [package, images @ ..] = stages.as_slice() else {
        panic!("no stages")
    };
    assert!(package.starts_with("scratch AS package\n"));
    assert_eq!(images.len(), 2);
    // The last one is built where none is named.
    assert!(images[1].lines().next().expect("a line").ends_with(" AS presque"));
    for image in images {
        let after = |word: &str| {
            let line = image.lines().find_map(|line| line.strip_prefix(word));
            line.unwrap_or_else(|| panic!("{word} is missing"))
        };
        let words = |word: &str| serde_json::from_str::<Vec<String>>(after(word)).expect("a list");
        assert_eq!(after("USER "), "65532:65532");
        assert_eq!(after("STOPSIGNAL "), "SIGTERM");
        assert_eq!(words("ENTRYPOINT "), ["/usr/local/bin/presque"]);
        let command = words("CMD ");
        assert!(!command.iter().any(|word| word == "--lan"), "keys are wanted");
        is_understood(&command.iter().map(String::as_str).collect::<Vec<_>>());
        let health = after("HEALTHCHECK ").split_once("CMD ").expect("a command").1;
        assert_eq!(health, r#"["/usr/local/bin/presque", "health"]"#);
    }
}

#[test]
fn what_the_images_copy_is_in_the_package() {
    let text = read("deploy/container/Containerfile");
    let copies = text
        .lines()
        .filter_map(|line| line.strip_prefix("COPY --from=package "));
    let mut seen = 0;
    for line in copies {
        let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        let (_, sources) = words.split_last().expect("a place");
        assert!(!sources.is_empty(), "{line}");
        for source in sources {
            let is_there = match source.strip_prefix("/${PACKAGE}/") {
                Some(folder) if folder.ends_with('/') => FILES.keys().any(|path| path.starts_with(folder)),
                Some(file) => FILES.contains_key(file),
                // The empty folder.
                None => *source == "/state/",
            };
            assert!(is_there, "{line}: {source}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn the_unit_is_one_of_systemd_and_starts_the_command() {
    let text = read("deploy/systemd/presque.service");
    let start = text.lines().find_map(|line| line.strip_prefix("ExecStart="));
    let words: Vec<&str> = start.expect("a command").split(' ').collect();
    assert_eq!(words[0], "/usr/local/bin/presque");
    is_understood(&words[1..]);
    let folder = tempfile::tempdir().expect("a folder");
    let unit = folder.path().join("presque.service");
    // It looks for the program.
    fs::write(&unit, text.replace("/usr/local/bin/presque", PRESQUE)).expect("a file");
    let mut verify = Command::new("systemd-analyze");
    let Ok(output) = verify.args(["verify", "--man=no"]).arg(&unit).output() else {
        eprintln!("passed over: there is no systemd-analyze");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = said.lines().filter(|line| line.contains("presque")).collect();
    assert!(output.status.success() && said.is_empty(), "{said:?}");
}

#[test]
fn workflows_run_what_developers_run_with_few_permissions() {
    let may_run = [
        "cargo xtask ",
        ".ci/run",
        "rustup component add ",
        "git config ",
        "gh release create ",
    ];
    for name in ["ci", "release"] {
        let workflow = yaml(&read(&format!(".github/workflows/{name}.yml"))).remove(0);
        assert_eq!(workflow["permissions"].to_string(), r#"{"contents":"read"}"#, "{name}");
        for (job, described) in workflow["jobs"].as_object().expect("jobs") {
            for step in described["steps"].as_array().expect("steps") {
                if let Some(run) = step["run"].as_str() {
                    assert!(may_run.iter().any(|start| run.starts_with(start)), "{job}: {run}");
                    continue;
                }
                let (_, commit) = step["uses"]
                    .as_str()
                    .and_then(|uses| uses.split_once('@'))
                    .expect("an action");
                let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(is_commit, "{job}: {commit} can be changed by others");
            }
        }
    }
}

#[test]
fn a_release_is_packed_after_the_checks_and_only_with_the_tag_of_its_version() {
    let workflow = yaml(&read(".github/workflows/release.yml")).remove(0);
    let jobs = &workflow["jobs"];
    let does = |job: &str, wanted: &str| {
        let steps = jobs[job]["steps"].as_array().expect("steps");
        assert!(steps.iter().any(|step| step["run"] == wanted), "{job}: {wanted}");
    };
    does("package", r#"cargo xtask dist --tag "$GITHUB_REF_NAME" --check"#);
    does(jobs["package"]["needs"].as_str().expect("a job"), ".ci/run");
    assert_eq!(jobs["release"]["needs"], "package");
}
