//! A short run, end to end. It needs what `cargo xtask test` builds before: the components, the host, the native server.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::Value;
use std::process::Command;

#[test]
fn a_short_run_writes_what_each_server_did() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.json");
    let output = Command::new(env!("CARGO_BIN_EXE_presque-bench"))
        .args(["--only", "single", "--rounds", "1", "--seconds", "0.05"])
        .args(["--connections", "2", "--payloads", "100"])
        // Only what this repository builds, whatever else is installed.
        .args([
            "--without",
            "spin",
            "--without",
            "webdis",
            "--without",
            "bullmq",
            "--json",
        ])
        .arg(&file)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let rows = report["timed"].as_array().unwrap();
    for server in ["presque", "bare", "native-presque", "native-bare"] {
        for operation in ["insert", "fetch"] {
            let row = rows
                .iter()
                .find(|row| row["server"] == server && row["operation"] == operation);
            let row = row.unwrap_or_else(|| panic!("no {operation} of {server}: {rows:?}"));
            assert!(row["jobs_per_second"].as_f64().unwrap() > 0.0, "{row}");
        }
    }
    assert!(report["machine"]["cores"].is_u64(), "{report}");
    assert_eq!(report["fsync"], "always");
}
