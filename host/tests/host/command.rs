//! The command line, and starts that fail: each with exit code 2 and one line that names what is wrong.

use super::support::{PLAIN, Site, WITH_REDIS};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The one line that a start fails with, which must name all these.
async fn refusal(site: &Site, arguments: &[&str], named: &[&str]) {
    let (code, log) = site.refused(arguments).await;
    assert_eq!(code, Some(2), "{log}");
    assert!(log.starts_with("error: "), "{log}");
    assert_eq!(log.trim_end().lines().count(), 1, "{log}");
    for name in named {
        assert!(log.contains(name), "{name} is not in: {log}");
    }
}

/// The plain application with another Wasm file.
fn with_source(content: impl AsRef<[u8]>) -> Site {
    let manifest = PLAIN.replace("GUEST", "other.wasm");
    Site::new(&manifest).file("other.wasm", content)
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refusal(
        &Site::new(PLAIN),
        &["--listen", &address],
        &[&address, "in use", "--listen"],
    )
    .await;
    refusal(&Site::new(PLAIN), &["--listen", "nonsense"], &["nonsense", "--listen"]).await;
}

#[tokio::test]
async fn a_manifest_that_is_not_there_is_named() {
    let site = Site::new(PLAIN);
    refusal(&site, &["--from", "nowhere"], &["nowhere", "spin.toml"]).await;
    std::fs::remove_file(site.path("spin.toml")).unwrap();
    refusal(&site, &[], &["spin.toml"]).await;
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_is_named_with_the_place() {
    let site = Site::new(&PLAIN.replace("[component.guest]", "[component.guest\n"));
    refusal(&site, &[], &["spin.toml", "line 7"]).await;
    let site = Site::new(&PLAIN.replace("version = 2", "version = 1"));
    refusal(&site, &[], &["spin.toml", "spin_manifest_version is 1"]).await;
    let site = Site::new(&PLAIN.replace("source", "sauce"));
    refusal(&site, &[], &["spin.toml", "sauce"]).await;
}

#[tokio::test]
async fn a_component_that_cannot_be_loaded_is_named() {
    let site = Site::new(&PLAIN.replace("GUEST", "not/built.wasm"));
    refusal(&site, &[], &["`guest`", "not/built.wasm", "not built"]).await;
    refusal(
        &with_source("no Wasm"),
        &[],
        &["`guest`", "other.wasm", "not a WebAssembly component"],
    )
    .await;
    let module = wat::parse_str("(module)").unwrap();
    refusal(
        &with_source(module),
        &[],
        &["`guest`", "other.wasm", "not a WebAssembly component"],
    )
    .await;
    let component = wat::parse_str("(component)").unwrap();
    refusal(&with_source(component), &[], &["`guest`", "wasi:http"]).await;
}

#[tokio::test]
async fn an_import_that_the_host_lacks_is_named() {
    let text = r#"(component
        (import "spin:key-value/key-value@3.0.0" (instance (export "store" (type (sub resource))))))"#;
    let site = with_source(wat::parse_str(text).unwrap());
    refusal(&site, &[], &["`guest`", "spin:key-value/key-value@3.0.0"]).await;
    let text = r#"(component (import "spin:redis/redis@3.0.0" (instance (export "flush" (func)))))"#;
    let site = with_source(wat::parse_str(text).unwrap());
    refusal(&site, &[], &["`guest`", "spin:redis/redis@3.0.0", "flush"]).await;
}

#[tokio::test]
async fn a_component_that_is_not_in_the_manifest_is_named() {
    refusal(&Site::new(PLAIN), &["--component", "goest"], &["goest", "guest"]).await;
}

#[tokio::test]
async fn a_redis_url_that_is_none_is_refused_and_not_shown() {
    let site = Site::new(PLAIN);
    for url in [
        "nonsense",
        "http://:hunter2@host",
        "redis://user@host",
        "redis://:hunter2/x@host:6379",
        "redis://user:1#hunter2@host:6379",
        "redis://user:1?hunter2@host:6379",
        "redis+unix:///hunter2",
        "http://:hunter2@host",
        "redis:///x",
        "unix:///x",
    ] {
        refusal(&site, &["--redis-url", url], &["--redis-url"]).await;
        let (_, log) = site.refused(&["--redis-url", url]).await;
        assert!(!log.contains("hunter2"), "{log}");
    }
}

#[tokio::test]
async fn a_redis_url_without_a_variable_for_it_is_refused() {
    let site = Site::new(PLAIN).environment("REDIS_URL", "redis://127.0.0.1");
    refusal(&site, &[], &["REDIS_URL", "'redis_url'"]).await;
    let site = Site::new(&WITH_REDIS.replace("redis_password", "other"));
    let url = ["--redis-url", "redis://:hunter2@127.0.0.1:1"];
    refusal(&site, &url, &["--redis-url", "'redis_password'"]).await;
    site.start(&["--redis-url", "redis://127.0.0.1:1"]).await;
}

#[tokio::test]
async fn variables_that_have_no_value_are_named() {
    let site = Site::new(&format!(
        "{PLAIN}\n[variables]\nneeded = {{ required = true }}\nwanted = {{ required = true }}\n"
    ));
    refusal(
        &site,
        &["--variable", "wanted=1"],
        &["needed", "SPIN_VARIABLE_NEEDED", "--variable"],
    )
    .await;
    refusal(&site, &[], &["needed", "wanted"]).await;
    let other = ["--variable", "other=1"];
    refusal(&site, &other, &["other", "needed, wanted"]).await;
}

#[tokio::test]
async fn a_state_folder_that_cannot_be_used_is_named() {
    let site = Site::new(PLAIN).file("file", "");
    refusal(&site, &["--state-dir", "file"], &["file"]).await;
}

#[tokio::test]
async fn a_log_level_that_is_none_is_named() {
    refusal(&Site::new(PLAIN), &["--log-level", "a=b=c"], &["--log-level", "a=b=c"]).await;
}

#[tokio::test]
async fn only_the_components_that_are_asked_for_are_served() {
    let other = "\n[[trigger.http]]\nroute = \"/other\"\ncomponent = \"other\"\n\
                 [component.other]\nsource = \"not/built.wasm\"\n";
    let site = Site::new(&format!("{PLAIN}{other}"));
    let mut host = site.start(&["--component", "guest"]).await;
    assert_eq!(host.get("/other").await.status, 200);
    host.log_line(&["path=\"/other\"", "component=\"guest\""]).await;
}

#[tokio::test]
async fn a_second_start_compiles_nothing() {
    let site = Site::new(PLAIN);
    drop(site.start_as_it_is(&[]).await);
    let compiled = compiled(&site.path("state/cache"));
    assert!(!compiled.is_empty());
    let host = site.start_as_it_is(&[]).await;
    assert_eq!(host.get("/instance").await.status, 200);
    drop(host);
    assert_eq!(self::compiled(&site.path("state/cache")), compiled);
}

/// The file with the guest's machine code.
fn machine_code(site: &Site) -> PathBuf {
    let compiled = compiled(&site.path("state/cache/code"));
    PathBuf::from(compiled.first().expect("one file"))
}

#[tokio::test]
async fn what_was_compiled_and_is_broken_is_compiled_anew() {
    let site = Site::new(PLAIN);
    drop(site.start_as_it_is(&[]).await);
    let file = machine_code(&site);
    let whole = std::fs::read(&file).unwrap();
    // One wrong byte may still be unpacked, and is machine code then.
    let mut one_wrong = whole.clone();
    one_wrong[whole.len() / 2] ^= 1;
    for broken in [&one_wrong[..], &whole[..whole.len() / 2], b"garbage", b""] {
        std::fs::write(&file, broken).unwrap();
        let mut host = site.start_as_it_is(&[]).await;
        host.log_line(&["WARN", "is broken: it is compiled anew"]).await;
        assert_eq!(host.get("/instance").await.status, 200);
        drop(host);
        let host = site.start_as_it_is(&[]).await;
        assert_eq!(host.log(), "", "it is whole again");
    }
    // Whatever stands where a file or the folder belongs.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert_eq!(site.start_as_it_is(&[]).await.get("/instance").await.status, 200);
    std::fs::remove_dir_all(site.path("state/cache")).unwrap();
    std::fs::write(site.path("state/cache"), "garbage").unwrap();
    assert_eq!(site.start_as_it_is(&[]).await.get("/instance").await.status, 200);
}

#[tokio::test]
async fn what_is_compiled_is_its_owner_s_only() {
    let site = Site::new(PLAIN);
    let mode = || {
        std::fs::metadata(site.path("state/cache"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    drop(site.start_as_it_is(&[]).await);
    assert_eq!(mode(), 0o700);
    std::fs::set_permissions(site.path("state/cache"), std::fs::Permissions::from_mode(0o755)).unwrap();
    drop(site.start_as_it_is(&[]).await);
    assert_eq!(mode(), 0o700);
}

/// What is compiled there. The cache keeps notes of its use beside it, and writes those when it likes.
fn compiled(dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(compiled(&path));
        } else if path.extension().is_none() {
            found.insert(path.to_str().unwrap().to_owned());
        }
    }
    found
}
