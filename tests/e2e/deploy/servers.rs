//! A real nginx, and the hosts behind it.

use super::read;
use crate::support::{Client, Host, HostOptions, Redis, eventually};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Where the configuration listens.
pub(super) const LISTEN: &str = "127.0.0.1:8080";

/// An nginx before such hosts. It is killed when this is dropped.
pub(super) struct Nginx {
    child: Child,
    /// `HOST:PORT`.
    pub(super) address: String,
    _dir: TempDir,
}

impl Nginx {
    /// Starts it before these hosts: up to two for each group.
    pub(super) async fn start(hosts: &BTreeMap<&str, Vec<Host>>) -> Self {
        let ends =
            |hosts: &Vec<Host>| [hosts.first(), hosts.last()].map(|host| host.expect("a host").address().to_owned());
        let addresses = hosts.iter().map(|(group, hosts)| (*group, ends(hosts))).collect();
        Self::before(&addresses).await
    }

    /// Starts it before what listens at these two addresses of each group.
    pub(super) async fn before(addresses: &BTreeMap<&str, [String; 2]>) -> Self {
        let mut configuration = read("deploy/spin/nginx.conf");
        for (group, addresses) in addresses {
            let line = configuration
                .lines()
                .find(|line| line.starts_with(&format!("upstream presque_{group} ")))
                .unwrap_or_else(|| panic!("no upstream for {group}"));
            let mut servers = line
                .split("server ")
                .skip(1)
                .map(|rest| rest.split(';').next().unwrap());
            let (first, second) = (servers.next().unwrap(), servers.next().unwrap());
            let with_ports = line.replace(first, &addresses[0]).replace(second, &addresses[1]);
            configuration = configuration.replace(line, &with_ports);
        }
        loop {
            if let Some(nginx) = Self::try_start(&configuration).await {
                return nginx;
            }
        }
    }

    /// `None` when somebody else took its port.
    async fn try_start(configuration: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let free = TcpListener::bind("127.0.0.1:0")
            .expect("a port")
            .local_addr()
            .expect("an address");
        let address = free.to_string();
        let presque = configuration.replace(LISTEN, &address);
        assert_ne!(presque, configuration);
        std::fs::write(dir.path().join("presque.conf"), presque).expect("a file");
        // One process, so that none is left when it is killed, and no file beside its folder.
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let paths: String = paths.iter().map(|name| format!("{name}_temp_path {name}; ")).collect();
        let main = format!(
            "daemon off; master_process off; pid pid; error_log log; events {{}}
             http {{ access_log off; {paths} include presque.conf; }}"
        );
        std::fs::write(dir.path().join("nginx.conf"), main).expect("a file");
        let mut child = Command::new("nginx")
            .arg("-p")
            .arg(dir.path())
            .args(["-c", "nginx.conf"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts: `cargo xtask test` installs it");
        let serves = eventually("nginx serves", async || {
            let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap_or_default();
            let ended = child.try_wait().expect("a child").is_some();
            (ended || !pid.is_empty()).then_some(!ended)
        })
        .await;
        if !serves {
            let log = std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
            assert!(log.contains("Address already in use"), "{log}");
            return None;
        }
        Some(Self {
            child,
            address,
            _dir: dir,
        })
    }

    pub(super) fn client(&self) -> Client {
        Client::new(&format!("http://{}", self.address))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts hosts that serve one group each, so many of each group.
pub(super) fn start_hosts<'a>(redis: &Redis, groups: &[(&'a str, usize)]) -> BTreeMap<&'a str, Vec<Host>> {
    let url = redis.url();
    let start = |group: &str| {
        Host::start(HostOptions {
            redis_url: Some(url.clone()),
            args: &["--component", group],
            ..HostOptions::default()
        })
    };
    std::thread::scope(|scope| {
        let started = groups.iter().map(|(group, count)| {
            let hosts: Vec<_> = (0..*count).map(|_| scope.spawn(|| start(group))).collect();
            (*group, hosts)
        });
        let started: Vec<_> = started.collect();
        let join = |host: std::thread::ScopedJoinHandle<'_, Host>| host.join().expect("it serves");
        started
            .into_iter()
            .map(|(group, hosts)| (group, hosts.into_iter().map(join).collect()))
            .collect()
    })
}
