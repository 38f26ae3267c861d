use super::*;

fn hosts(entries: &[&str]) -> AllowedHosts {
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    AllowedHosts::parse(&entries).unwrap()
}

fn refusal(entry: &str) -> String {
    AllowedHosts::parse(&[entry.to_owned()]).unwrap_err().to_string()
}

#[test]
fn an_empty_list_allows_nothing() {
    assert!(!hosts(&[]).allows("redis", "localhost", 6379));
    assert!(!AllowedHosts::default().allows("http", "example.com", 80));
}

/// An entry, an address (scheme, host, port), and whether it is allowed.
type Case = (&'static str, (&'static str, &'static str, u16), bool);

#[test]
fn an_entry_allows_what_it_says() {
    let cases: &[Case] = &[
        ("redis://localhost:6379", ("redis", "localhost", 6379), true),
        ("redis://localhost:6379", ("redis", "localhost", 6380), false),
        ("redis://localhost:6379", ("redis", "127.0.0.1", 6379), false),
        ("redis://127.0.0.1:6379", ("redis", "localhost", 6379), false),
        ("redis://localhost:6379", ("rediss", "localhost", 6379), false),
        ("redis://localhost:6379/", ("redis", "localhost", 6379), true),
        (" redis://localhost:6379 ", ("redis", "localhost", 6379), true),
        // Letter case.
        ("redis://DB.Example.com:6379", ("redis", "db.example.COM", 6379), true),
        ("Redis://db:6379", ("REDIS", "db", 6379), true),
        ("http://*.Example.com", ("http", "A.example.com", 80), true),
        // Default ports.
        ("redis://db", ("redis", "db", 6379), true),
        ("redis://db/", ("redis", "db", 6379), true),
        ("redis://db", ("redis", "db", 6380), false),
        ("http://db", ("http", "db", 80), true),
        ("https://db", ("https", "db", 443), true),
        // Wildcards.
        ("*://*:*", ("redis", "anything", 1), true),
        ("*://db:6379", ("mysql", "db", 6379), true),
        ("redis://*:6379", ("redis", "anything", 6379), true),
        ("redis://*", ("redis", "anything", 6379), true),
        ("redis://db:*", ("redis", "db", 12345), true),
        ("redis://db:*", ("redis", "db2", 12345), false),
        ("http://*.example.com", ("http", "a.b.example.com", 80), true),
        ("http://*.example.com", ("http", "example.com", 80), false),
        ("http://*.example.com", ("http", "badexample.com", 80), false),
        // A range is without its end.
        ("redis://db:6000..6010", ("redis", "db", 6000), true),
        ("redis://db:6000..6010", ("redis", "db", 6009), true),
        ("redis://db:6000..6010", ("redis", "db", 6010), false),
        ("redis://db:6000..6010", ("redis", "db", 5999), false),
        // Networks and addresses.
        ("redis://10.1.2.3/8:6379", ("redis", "10.200.0.1", 6379), true),
        ("redis://10.1.2.3/8:6379", ("redis", "11.1.2.3", 6379), false),
        ("redis://10.0.0.0/8", ("redis", "10.9.9.9", 6379), true),
        ("*://0.0.0.0/0:80", ("http", "8.8.8.8", 80), true),
        ("*://0.0.0.0/0:80", ("http", "example.com", 80), false),
        ("*://127.0.0.0/8:80", ("http", "localhost", 80), false),
        ("*://ff00::/8:80", ("http", "[ff02::1]", 80), true),
        ("*://ff00::/8:80", ("http", "[fe80::1]", 80), false),
        ("*://::/0:80", ("http", "1.2.3.4", 80), false),
        ("http://[::1]:8001", ("http", "[::1]", 8001), true),
        ("http://[0:0::1]:8001", ("http", "[::1]", 8001), true),
        ("http://127.0.0.1", ("http", "127.0.0.1", 80), true),
        // `self` means the application, not a host of that name.
        ("http://self", ("http", "self", 80), false),
    ];
    for (entry, (scheme, host, port), expected) in cases {
        assert_eq!(
            hosts(&[entry]).allows(scheme, host, *port),
            *expected,
            "{entry} and {scheme}://{host}:{port}"
        );
    }
}

#[test]
fn any_entry_of_a_list_may_allow() {
    let hosts = hosts(&["redis://a:1", "redis://b:2"]);
    assert!(hosts.allows("redis", "a", 1));
    assert!(hosts.allows("redis", "b", 2));
    assert!(!hosts.allows("redis", "a", 2));
}

#[test]
fn a_bad_entry_is_refused_with_its_reason() {
    let cases = [
        ("", "has no scheme"),
        ("*", "has no scheme"),
        ("localhost:6379", "has no scheme"),
        ("insecure:allow-all", "has no scheme"),
        ("://db", "has a scheme that is neither letters"),
        ("re dis://db", "has a scheme that is neither letters"),
        ("{http,https}://db", "has a scheme that is neither letters"),
        ("redis://db:6379/0", "has something after the host"),
        ("redis://db/0", "has something after the host"),
        ("redis://db?x=1", "has something after the host"),
        ("redis://db:6379?x=1", "has a port that is no number"),
        ("redis://db:65536", "has a port that is no number"),
        ("redis://db:{1,2}", "has a port that is no number"),
        ("redis://db:6000..x", "has a port that is no number"),
        ("redis://db:6010..6010", "has an empty range"),
        ("*://db", "has no port"),
        ("*://127.0.0.0/24", "has no port"),
        ("ftp://db", "has no port"),
        ("redis://:6379", "has no host"),
        ("redis://", "has no host"),
        ("redis://{a,b}:6379", "has a list of hosts"),
        ("redis://a.*.b:6379", "has a '*' inside its host"),
        ("redis://*.*.b:6379", "has a '*' inside its host"),
        ("http://[::1]", "is an IPv6 address without a port"),
        ("http://::1:80", "has a colon in its host"),
        ("redis://10.0.0.0/33:6379", "has something after the host"),
        ("redis://010.0.0.0/8:6379", "has something after the host"),
    ];
    for (entry, reason) in cases {
        let error = refusal(entry);
        assert!(
            error.starts_with(&format!("allowed_outbound_hosts entry '{entry}' {reason}")),
            "{entry}: {error}"
        );
    }
}

#[test]
fn a_password_is_refused_and_not_shown() {
    for entry in [
        "redis://:hunter2@db:6379",
        "redis://user:hunter2@db",
        "redis://user:a@hunter2@db",
    ] {
        let error = refusal(entry);
        assert!(error.contains("has a user or a password"), "{error}");
        assert!(error.contains("redis://...@db"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
