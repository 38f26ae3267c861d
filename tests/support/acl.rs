//! The user of Redis that the documents tell people to make. All tests of the store are run as this user.

use presque_testkit::{Cluster, Host, HostOptions, Redis};

/// The user's name and password.
const USER: (&str, &str) = ("presque", "secret");

/// The words of the rule, from `ACL` on.
pub fn rule() -> Vec<&'static str> {
    let document = include_str!("../../docs/operations.md");
    let line = document.lines().find(|line| line.starts_with("    ACL SETUSER "));
    line.expect("the rule").split_whitespace().collect()
}

/// Makes the user, who may also use the tests' clock. Returns the server's address with it.
pub async fn url_of_user(redis: &Redis) -> String {
    let mut words = rule();
    words.push("~test:clock");
    redis.query::<()>(&words).await;
    redis
        .url()
        .replace("redis://", &format!("redis://{}:{}@", USER.0, USER.1))
}

/// What the documents tell to add to the rule on a cluster, and to wait for replicas.
fn rule_for_replicas() -> [&'static str; 3] {
    let document = include_str!("../../docs/operations.md");
    let words = ["+cluster|slots", "+asking", "+wait"];
    for word in words {
        assert!(document.contains(word), "docs/operations.md names {word}");
    }
    words
}

/// Makes the user on all nodes of a cluster. Returns what stands before a node in an address of it.
pub async fn login_of_cluster(cluster: &Cluster) -> String {
    let mut words = rule();
    words.extend(rule_for_replicas());
    for node in cluster.nodes() {
        cluster[node].query::<()>(&words).await;
    }
    format!("redis://{}:{}@", USER.0, USER.1)
}

/// A host on a cluster, which it knows two nodes of.
pub async fn host_on_cluster(cluster: &Cluster, options: HostOptions<'_>) -> Host {
    let login = login_of_cluster(cluster).await;
    let nodes = format!("redis_nodes={}", cluster.nodes_pattern());
    // Of two nodes, one of which a test may end.
    let seeds = cluster.urls()[..2].join(",").replacen("redis://", "", 1);
    Host::start(HostOptions {
        redis_url: Some(login + &seeds),
        args: &[&["--variable", &nodes], options.args].concat(),
        ..options
    })
}
