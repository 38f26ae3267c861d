//! The page on which people see the queues: its files. What it shows and does is in `browser`.

use crate::support::{Answer, Client, Host, Redis};

/// The names of the page's files, `ui/` and what follows.
async fn files(client: &Client) -> Vec<String> {
    let mut found = vec!["ui/app.js".to_owned(), "ui/style.css".to_owned()];
    let mut next = 0;
    while let Some(name) = found.get(next).cloned() {
        next += 1;
        let text = client.get(&format!("/{name}")).await.text().to_owned();
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        for import in text.lines().filter_map(|line| line.split_once(" from '")) {
            let path = resolve(&folder, import.1.split('\'').next().unwrap_or_default());
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

/// The path of a module that another one imports, which is in this folder.
fn resolve(folder: &str, import: &str) -> String {
    let mut path: Vec<_> = folder.split('/').collect();
    for segment in import.split('/') {
        match segment {
            "." => {}
            ".." => drop(path.pop()),
            segment => path.push(segment),
        }
    }
    path.join("/")
}

async fn packed(client: &Client, target: &str, tag: &str) -> Answer {
    let headers = [("Accept-Encoding", "br, gzip;q=0.8"), ("If-None-Match", tag)];
    client.send("GET", target, &headers, "").await
}

#[tokio::test]
async fn the_page_is_small_and_comes_compressed_with_a_tag_and_a_strict_policy() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let mut targets = vec!["/".to_owned()];
    targets.extend(files(&client).await.iter().map(|name| format!("/{name}")));
    assert!(targets.len() > 5, "{targets:?}");
    let (mut plain_bytes, mut packed_bytes) = (0, 0);
    for target in &targets {
        let answer = packed(&client, target, "\"other\"").await;
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(answer.header("content-encoding"), Some("gzip"), "{target}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
        assert!(!policy.contains("unsafe"));
        packed_bytes += answer.body.len();

        let tag = answer.header("etag").unwrap().to_owned();
        for tags in [tag.clone(), format!("\"x\", {tag}"), "*".to_owned()] {
            let known = packed(&client, target, &tags).await;
            assert_eq!((known.status.as_u16(), known.body.len()), (304, 0), "{target}");
            assert_eq!(known.header("etag"), Some(&*tag));
        }
        let plain = client.send("GET", target, &[("Accept-Encoding", "gzip;q=0")], "").await;
        assert_eq!((plain.status.as_u16(), plain.header("content-encoding")), (200, None));
        assert_eq!(plain.header("etag"), Some(&*tag));
        plain_bytes += plain.body.len();
        let head = client.send("HEAD", target, &[], "").await;
        assert_eq!(head.header("content-length"), plain.header("content-length"));
    }
    assert!(plain_bytes <= 150_000, "{plain_bytes} bytes");
    assert!(packed_bytes * 2 < plain_bytes, "{packed_bytes} of {plain_bytes} bytes");
}

#[tokio::test]
async fn what_is_no_file_of_the_page_is_not_found_and_files_are_only_read() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for target in [
        "/ui",
        "/ui/",
        "/ui/index.html/x",
        "/ui/../spin.toml",
        "/ui/%2e%2e/spin.toml",
        "/ui/none.js",
    ] {
        assert_eq!(client.get(target).await.status, 404, "{target}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        let answer = client.send(method, "/ui/app.js", &[], "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, Some("GET, HEAD, OPTIONS"))
        );
    }
}

#[tokio::test]
async fn a_link_on_another_site_leads_to_the_page_and_to_nothing_else() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let from = [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Mode", "navigate"),
    ];
    assert_eq!(client.send("GET", "/", &from, "").await.status, 200);
    for target in ["/?queue=x", "/v1/overview", "/ui/none"] {
        assert_eq!(client.send("GET", target, &from, "").await.status, 403, "{target}");
    }
}
