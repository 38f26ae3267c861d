//! What a server is told when it starts.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::{Password, directory};

/// What a server is told besides what all are.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Clients must give it, if there is one.
    pub password: Option<Password>,
    /// Whether the server is a node of a cluster: it has a second port then, for the cluster's bus.
    pub is_cluster_node: bool,
    /// Whether nobody needs its data when its value or this process has ended. It is killed then, and not asked to end: one that
    /// is paused would not hear it, one that has replicas waits for them, and one that writes its first log refuses.
    pub is_temporary: bool,
    /// Lines of a `redis.conf`, such as `appendfsync everysec`. They come last, so they win.
    pub lines: Vec<String>,
}

impl Settings {
    /// Ports that nobody listens on at this moment.
    pub(super) fn free_ports(&self) -> Result<Ports> {
        // Both at a time, so they differ.
        let listeners = [listener()?, listener()?];
        let [port, bus] = listeners.each_ref().map(TcpListener::local_addr);
        Ok(Ports {
            port: port?.port(),
            bus: self.is_cluster_node.then_some(bus?.port()),
        })
    }

    /// What the server gets when this process dies.
    pub(super) fn death_signal(&self) -> Signal {
        if self.is_temporary { Signal::KILL } else { Signal::TERM }
    }

    /// The server's configuration. It reads that on its standard input: its arguments can be seen by everybody on the machine.
    pub(super) fn configuration(&self, ports: Ports) -> String {
        let mut text = format!(
            "bind 127.0.0.1\nport {}\nappendonly yes\nappendfsync always\nsave \"\"\ndaemonize no\nlogfile {}\n",
            ports.port,
            directory::LOG
        );
        if let Some(password) = &self.password {
            text.push_str(&format!("requirepass {}\n", password.quoted()));
        }
        if let Some(bus) = ports.bus {
            text.push_str(&format!("cluster-enabled yes\ncluster-port {bus}\n"));
        }
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// Where a server listens, on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) port: u16,
    /// For the other nodes of its cluster.
    pub(super) bus: Option<u16>,
}

fn listener() -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")
}
