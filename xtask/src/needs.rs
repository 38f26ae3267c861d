//! What the commands need besides cargo, and why.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{is_on_path, output};
use crate::python::python;
use crate::{apt, wasm_target};

/// Something that must be on this machine, and is installed where it is missing.
pub(crate) struct Need {
    /// What it is called in messages.
    name: &'static str,
    /// Why it is needed, as a sentence that follows a colon.
    reason: &'static str,
    kind: Kind,
}

enum Kind {
    /// Rust's standard library for the components.
    WasmTarget,
    /// One of these programs, on the PATH, the preferred one first. A Debian package of one of these names has it.
    Program(&'static [&'static str]),
    /// A program on the PATH that has another name than Debian's smallest package with it.
    PackagedProgram {
        program: &'static str,
        package: &'static str,
    },
    /// A module of Python. The Debian package of the need's name has it, for Debian's own Python.
    PythonModule(&'static str),
    /// What `python3 -m venv` needs. Debian has it apart from Python.
    PythonEnvironments,
}

pub(crate) const WASM_TARGET: Need = Need {
    name: "Rust's standard library for wasm32-wasip2",
    reason: "components are compiled with it",
    kind: Kind::WasmTarget,
};
pub(crate) const REDIS: Need = Need {
    name: "Redis",
    reason: "the jobs are kept in it",
    kind: Kind::Program(&["redis-server", "valkey-server"]),
};
pub(crate) const CURL: Need = Need {
    name: "curl",
    reason: "a test runs the commands that the documents show",
    kind: Kind::Program(&["curl"]),
};
pub(crate) const JQ: Need = Need {
    name: "jq",
    reason: "the documents' commands read answers with it, and a test runs them",
    kind: Kind::Program(&["jq"]),
};
pub(crate) const NODE: Need = Need {
    name: "Node.js",
    reason: "tests run the example worker in JavaScript, and the cases of the page",
    kind: Kind::Program(&["node", "nodejs"]),
};
pub(crate) const NPM: Need = Need {
    name: "npm",
    reason: "it installs Playwright and axe-core, which look at the page",
    kind: Kind::Program(&["npm"]),
};
pub(crate) const PERL: Need = Need {
    name: "Perl",
    reason: "a test runs the example worker in Perl",
    kind: Kind::Program(&["perl"]),
};
pub(crate) const PYTHON: Need = Need {
    name: "Python",
    reason: "tests run the example workers in Python",
    kind: Kind::Program(&["python3"]),
};
pub(crate) const PYTHON_ENVIRONMENTS: Need = Need {
    name: "python3-venv",
    reason: "what is installed with pip has an environment of its own",
    kind: Kind::PythonEnvironments,
};
pub(crate) const RUBY: Need = Need {
    name: "Ruby",
    reason: "tests run the example producer and worker in Ruby",
    kind: Kind::Program(&["ruby"]),
};
pub(crate) const PHP: Need = Need {
    name: "PHP",
    reason: "tests run the example producer and worker in PHP",
    kind: Kind::PackagedProgram {
        program: "php",
        package: "php-cli",
    },
};
pub(crate) const OPENMETRICS_PARSER: Need = Need {
    name: "python3-prometheus-client",
    reason: "a test reads the metrics with the official parser",
    kind: Kind::PythonModule("prometheus_client"),
};
pub(crate) const PROMETHEUS: Need = Need {
    name: "Prometheus",
    reason: "a test lets it read the metrics and evaluate the alerts",
    kind: Kind::Program(&["prometheus"]),
};
pub(crate) const NGINX: Need = Need {
    name: "nginx",
    reason: "a test runs hosts behind it",
    kind: Kind::Program(&["nginx"]),
};
pub(crate) const CHROMIUM: Need = Need {
    name: "Chromium",
    reason: "tests open the page in a real browser",
    kind: Kind::Program(&["chromium", "chromium-browser", "google-chrome"]),
};

/// Makes sure that all of these are there: installs what is missing.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    needs.iter().try_for_each(|need| match need.kind {
        Kind::WasmTarget => wasm_target::ensure(|way| need.announce(way)),
        Kind::Program(programs) => {
            let by_hand = format!("install {} so that {} is on the PATH", need.name, programs.join(" or "));
            need.ensure_installed(programs, &by_hand, || is_on_path(programs))
        }
        Kind::PackagedProgram { program, package } => {
            let by_hand = format!("install {} so that {program} is on the PATH", need.name);
            need.ensure_installed(&[package], &by_hand, || is_on_path(&[program]))
        }
        Kind::PythonModule(module) => {
            let by_hand = format!("install the module {module} for python3");
            need.ensure_installed(&[need.name], &by_hand, || {
                let import = format!("import {module}");
                let has_it = |program| output(Command::new(program).args(["-c", &import])).is_ok();
                // Another one than Debian's may come first on the PATH.
                ["python3", "/usr/bin/python3"].into_iter().any(has_it)
            })
        }
        Kind::PythonEnvironments => {
            let by_hand = "install Python's venv and ensurepip";
            need.ensure_installed(&[need.name], by_hand, || {
                output(python().args(["-c", "import venv, ensurepip"])).is_ok()
            })
        }
    })
}

impl Need {
    /// The line that comes before anything is installed. `way` is how it is done, such as `with apt`.
    fn announce(&self, way: &str) {
        eprintln!("{}", self.announcement(way));
    }

    fn announcement(&self, way: &str) -> String {
        format!("==> Installing {} {way}: {}.", self.name, self.reason)
    }

    /// Makes sure that it is there. `packages` are those of Debian that have it, the preferred one first.
    fn ensure_installed(&self, packages: &[&str], by_hand: &str, is_there: impl Fn() -> bool) -> Result<()> {
        if is_there() {
            return Ok(());
        }
        if !is_on_path(&["apt-get"]) {
            bail!(
                "{} is missing, and there is no apt-get to install it: {by_hand}",
                self.name
            );
        }
        if !is_root()? {
            bail!(
                "{} is missing, and only root can install it with apt: {by_hand}",
                self.name
            );
        }
        self.announce("with apt");
        apt::install_one_of(packages).with_context(|| format!("{} could not be installed: {by_hand}", self.name))?;
        if !is_there() {
            bail!("{} was installed, but is not found: {by_hand}", self.name);
        }
        Ok(())
    }
}

fn is_root() -> Result<bool> {
    Ok(output(Command::new("id").arg("-u"))?.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::CHROMIUM;

    #[test]
    fn what_is_installed_is_announced_with_its_reason_in_one_line() {
        assert_eq!(
            CHROMIUM.announcement("with apt"),
            "==> Installing Chromium with apt: tests open the page in a real browser."
        );
    }
}
