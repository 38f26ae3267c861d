//! Bodies that are too large, as clients of all kinds send them: first all of the request, and only then they look for an answer.

use crate::support::{Host, Redis};
use std::process::Command;

/// Above what a job may have, and what a request may have.
const BYTES: usize = 30 << 20;

const PYTHON: &str = "
import sys, urllib.request, urllib.error
try:
    headers = {'Content-Type': 'application/json'}
    urllib.request.urlopen(urllib.request.Request(sys.argv[1], open(sys.argv[2], 'rb').read(), headers))
except urllib.error.HTTPError as error:
    print(error.code)
";

const NODE: &str = "
const [url, file] = process.argv.slice(1);
const headers = {'Content-Type': 'application/json'};
fetch(url, {method: 'POST', headers, body: require('fs').readFileSync(file)}).then(answer => console.log(answer.status));
";

/// What the program prints.
async fn run(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn every_client_sees_that_its_body_is_too_large() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("large");
    std::fs::write(&file, vec![b' '; BYTES]).unwrap();
    let file = file.to_str().unwrap();
    for target in ["/q/x", "/v1/queues/x/jobs", "/qb/x"] {
        let url = format!("{}{target}", host.base);
        // A race that is lost now and then is lost here.
        for _ in 0..3 {
            assert_eq!(run("python3", &["-c", PYTHON, &url, file]).await, "413", "{target}");
            assert_eq!(run("node", &["-e", NODE, &url, file]).await, "413", "{target}");
            let data = format!("@{file}");
            for expect in ["Expect:", "Expect: 100-continue"] {
                let arguments = [
                    "-sS",
                    "-o",
                    "/dev/null",
                    "-w",
                    "%{http_code}",
                    "-H",
                    "Content-Type: application/json",
                    "-H",
                    expect,
                    "--data-binary",
                    &data,
                    &url,
                ];
                assert_eq!(run("curl", &arguments).await, "413", "{target}");
            }
        }
    }
    let left: i64 = redis.query(&["DBSIZE"]).await;
    assert_eq!(left, 0);
}
