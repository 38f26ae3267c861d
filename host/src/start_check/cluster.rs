//! What there is to see of a cluster.

use super::{Found, reply};
use crate::redis_address::{self, RedisAddress, bracketed};
use redis::aio::MultiplexedConnection;
use redis::{ConnectionAddr, RedisError, Value, cmd};

/// Looks at a cluster through the node at `asked`: whether components may connect to all of its nodes, and do what they do there alone.
pub(super) async fn look(
    redis: &RedisAddress,
    asked: &ConnectionAddr,
    connection: &mut MultiplexedConnection,
    found: &mut Found,
) -> bool {
    let slots = cmd("CLUSTER").arg("SLOTS").query_async::<Value>(connection).await;
    let asking = cmd("ASKING").exec_async(connection).await;
    if let Err(error) = asking
        && !found.note(reply::failure("ASKING", &error))
    {
        return false;
    }
    let nodes = match slots {
        Ok(slots) => nodes(&slots, asked),
        Err(error) => return found.note(reply::failure("CLUSTER", &error)),
    };
    if let Some((host, port)) = nodes.iter().filter(|node| !redis.allows(node)).find_map(host_and_port) {
        let pattern = redis_address::pattern(&nodes).unwrap_or_default();
        found.errors.push(format!(
            "it is a cluster, and components may not connect to its node {}:{port}: set the variable redis_nodes to what they may \
             connect to, such as {pattern}",
            bracketed(host)
        ));
    }
    true
}

/// The nodes that a reply to `CLUSTER SLOTS` names.
fn nodes(slots: &Value, asked: &ConnectionAddr) -> Vec<ConnectionAddr> {
    let list = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        _ => Vec::new(),
    };
    let ranges = list(slots).into_iter();
    // Behind the first and the last slot of a range.
    let nodes = ranges.flat_map(|range| list(&range).into_iter().skip(2));
    let nodes = nodes.filter_map(|node| match list(&node).as_slice() {
        [host, Value::Int(port), ..] => {
            let host = redis::from_redis_value::<Option<String>>(host)
                .ok()?
                .unwrap_or_default();
            Some(beside(asked, &host, u16::try_from(*port).ok()?))
        }
        _ => None,
    });
    nodes.collect()
}

/// The node that an error leads to, if it is a redirection.
pub(super) fn moved(asked: &ConnectionAddr, error: &RedisError) -> Option<ConnectionAddr> {
    let (address, _) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    Some(beside(asked, host, port.parse().ok()?))
}

/// Another node of the cluster that `asked` is one of. A node that does not know its own host leaves it out.
fn beside(asked: &ConnectionAddr, host: &str, port: u16) -> ConnectionAddr {
    let mut node = asked.clone();
    if let ConnectionAddr::Tcp(its_host, its_port)
    | ConnectionAddr::TcpTls {
        host: its_host,
        port: its_port,
        ..
    } = &mut node
    {
        *its_port = port;
        if !host.is_empty() {
            host.clone_into(its_host);
        }
    }
    node
}

fn host_and_port(address: &ConnectionAddr) -> Option<(&str, u16)> {
    match address {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => Some((host, *port)),
        ConnectionAddr::Unix(_) => None,
    }
}
