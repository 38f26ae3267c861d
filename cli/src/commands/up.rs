//! `presque up`: the local server, with the components of the package that this program is part of.

use crate::exit::Exit;
use crate::output::Output;
use anyhow::{Context as _, Result};
use presque_host::{Flags, Serving, Store};
use serde_json::json;
use std::env;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};

const FROM: &str = "The manifest, or its folder [default: spin.toml of this package]";
const LAN: &str = "Listen on all of this machine's addresses (0.0.0.0:3000, or as --listen says), also without keys: whoever \
                   reaches it may do everything";
const STATE: &str = "Where compiled components and the private Redis keep their data [default: presque/state in $XDG_DATA_HOME or \
                     ~/.local/share; beside a manifest that is not this package's: .presque]";

/// Serves presque on this machine, until it is stopped.
///
/// The jobs are kept by a private Redis or Valkey, whose program must be on the PATH, or by the server of --redis-url. Unless the
/// variable `keys` is set, nobody but this machine is served, and everybody on it may do everything.
#[derive(Clone, Debug, clap::Args)]
#[command(
    mut_arg("from", |arg| arg.help(FROM).long_help(FROM)),
    mut_arg("open", |arg| arg.long("lan").help(LAN).long_help(LAN)),
    mut_arg("listen", |arg| arg.default_value_if("open", "true", "0.0.0.0:3000")),
    mut_arg("state_dir", |arg| arg.help(STATE).long_help(STATE)),
)]
pub(crate) struct Up {
    #[command(flatten)]
    flags: Flags,
}

impl Up {
    /// Serves until SIGTERM or Ctrl-C.
    pub(crate) fn run(self, out: Output) -> Result<Exit> {
        let mut flags = self.flags;
        flags.open_flag = "--lan";
        let program = env::current_exe().and_then(|program| program.canonicalize());
        let program = program.context("cannot tell where this program is")?;
        let package = package_of(&program);
        let from = match (flags.from.take(), &package) {
            (Some(from), _) => from,
            (None, Some(package)) => package.clone(),
            (None, None) => checkout_of(&program).with_context(|| {
                let folder = program.parent().unwrap_or(&program).display();
                format!("there is no ../share/presque/ beside {folder}: keep this program in its package, or say with --from what to serve")
            })?,
        };
        if flags.state_dir.is_none() && package.is_some() && folder_of(&from) == package {
            flags.state_dir = Some(data_folder(|name| env::var_os(name))?);
        }
        flags.from = Some(from);
        let is_served = presque_host::run_with(&flags, |serving| announce(serving, out));
        Ok(if is_served { Exit::Done } else { Exit::Failed })
    }
}

/// The folder of a package's manifests, if this program is part of one: `share/presque` beside `bin` or beside the program.
fn package_of(program: &Path) -> Option<PathBuf> {
    let places = program.ancestors().skip(1).take(2);
    let mut folders = places.map(|place| place.join("share/presque"));
    folders.find(|folder| folder.join("spin.toml").is_file())
}

/// The folder of the sources of which this program was built, if it is still in their `target`.
fn checkout_of(program: &Path) -> Option<PathBuf> {
    let target = program.parent()?.parent()?;
    let root = target.parent()?;
    (target.ends_with("target") && root.join("spin.toml").is_file()).then(|| root.to_owned())
}

/// The folder of a manifest, which may be named by it.
fn folder_of(manifest: &Path) -> Option<PathBuf> {
    let manifest = manifest.canonicalize().ok()?;
    match manifest.is_dir() {
        true => Some(manifest),
        false => manifest.parent().map(Path::to_owned),
    }
}

/// Where the user's data is, as the XDG base directories say. A package's own folder may be read-only. One that is installed in
/// `~/.local` has its manifests in `~/.local/share/presque`, so the data is in a folder of its own there.
fn data_folder(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    let path = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = path("XDG_DATA_HOME").or_else(|| Some(path("HOME")?.join(".local/share")));
    let data = data.context("HOME is not set: say with --state-dir where to keep the data")?;
    Ok(data.join("presque/state"))
}

/// Tells what is served. The first line of the text is for programs, too.
fn announce(serving: &Serving<'_>, out: Output) -> Result<()> {
    let network = serving.address.ip().is_unspecified().then(own_address).flatten();
    let network = network.map(|ip| format!("http://{ip}:{}", serving.address.port()));
    if !out.json {
        let mut lines = vec![format!("Serving {}", serving.url())];
        lines.extend(serving.places());
        lines.extend(network.map(|url| format!("In the network: {url}/")));
        return out.line(lines.join("\n"));
    }
    let (redis, data) = match &serving.store {
        Some(Store::Private { url, data }) => (Some(url), Some(data)),
        Some(Store::Other(servers)) => (Some(servers), None),
        None => (None, None),
    };
    let page = serving.pages().into_iter().next().map(|(_, url)| url);
    out.value(&json!({"url": serving.url(), "page": page, "network": network, "redis": redis, "data": data}))
}

/// The address by which others in the network reach this machine, if it has one. Nothing is sent: the system says from where it would
/// send to an address that is far away (one of those for documentation).
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::{checkout_of, data_folder, package_of};
    use std::ffi::OsString;
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_components_are_in_the_package_of_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let share = folder.path().join("share/presque");
        fs::create_dir_all(&share).unwrap();
        let is_found = |program: &str| package_of(&folder.path().join(program)).as_deref() == Some(share.as_path());
        assert!(!is_found("bin/presque"), "there is no manifest");
        fs::write(share.join("spin.toml"), "").unwrap();
        assert!(is_found("bin/presque") && is_found("presque"));
        assert!(!is_found("lib/presque/presque"), "another package's");
    }

    #[test]
    fn a_program_in_the_target_folder_serves_the_sources_beside_that() {
        let folder = tempfile::tempdir().unwrap();
        let checkout = |program: &str| checkout_of(&folder.path().join(program));
        assert_eq!(checkout("target/native/presque"), None);
        fs::write(folder.path().join("spin.toml"), "").unwrap();
        assert_eq!(checkout("target/native/presque").as_deref(), Some(folder.path()));
        assert_eq!(checkout("usr/bin/presque"), None);
    }

    #[test]
    fn the_data_is_in_the_data_folder_of_the_user() {
        let folder = |given: &[(&str, &str)]| {
            let value = |name: &str| given.iter().find(|(given, _)| *given == name);
            data_folder(|name| value(name).map(|(_, value)| OsString::from(value)))
        };
        let home = ("HOME", "/home/ann");
        assert_eq!(
            folder(&[home]).unwrap(),
            Path::new("/home/ann/.local/share/presque/state")
        );
        assert_eq!(
            folder(&[home, ("XDG_DATA_HOME", "/data")]).unwrap(),
            Path::new("/data/presque/state")
        );
        // The standard says that one which is not absolute is to be ignored.
        assert_eq!(
            folder(&[home, ("XDG_DATA_HOME", "data")]).unwrap(),
            Path::new("/home/ann/.local/share/presque/state")
        );
        assert!(folder(&[]).unwrap_err().to_string().contains("--state-dir"));
    }
}
