//! From a path to what answers it, through the whole host.

use super::support::Site;

const ROUTES: &str = r#"
spin_manifest_version = 2
application = { name = "test" }
[[trigger.http]]
route = "/exact"
component = "guest"
[[trigger.http]]
route = "/job/word"
component = "guest"
[[trigger.http]]
route = "/job/:job_id"
component = "guest"
[[trigger.http]]
route = "/job/..."
component = "guest"
[[trigger.http]]
route = { private = true }
component = "guest"
[[trigger.http]]
route = "/fixed"
static_response = { status_code = 203, headers = { x-fixed = "yes" }, body = "always the same" }
[component.guest]
source = "GUEST"
"#;

/// The values of a header that the guest was given, in their order.
fn values<'a>(given: &'a str, name: &str) -> Vec<&'a str> {
    let lines = given.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(key, _)| *key == name).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn a_path_goes_to_its_best_route() {
    let host = Site::new(ROUTES).start(&[]).await;
    for (path, route) in [
        ("/exact", "/exact"),
        ("/exact/", "/exact"),
        ("/job/word", "/job/word"),
        ("/job/other", "/job/:job_id"),
        ("/job", "/job/..."),
        ("/job/", "/job/..."),
        ("/job/a/b/", "/job/..."),
    ] {
        let answer = host.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(values(answer.text(), "spin-raw-component-route"), [route], "{path}");
    }
}

#[tokio::test]
async fn what_no_route_matches_is_not_found() {
    let host = Site::new(ROUTES).start(&[]).await;
    for path in ["/", "/Exact", "/exact/more", "/jobs", "/.well-known/spin/other"] {
        let answer = host.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (404, ""), "{path}");
    }
}

#[tokio::test]
async fn the_host_answers_for_its_health_and_with_what_is_fixed() {
    let host = Site::new(ROUTES).start(&[]).await;
    let health = host.get("/.well-known/spin/health").await;
    assert_eq!((health.status.as_u16(), health.text()), (200, "OK"));
    let fixed = host.get("/fixed").await;
    assert_eq!((fixed.status.as_u16(), fixed.text()), (203, "always the same"));
    assert_eq!(fixed.headers["x-fixed"], "yes");
}

#[tokio::test]
async fn a_path_is_passed_on_as_it_came() {
    let host = Site::new(ROUTES).start(&[]).await;
    for path in [
        "/job/a%2Fb",
        "/job/../exact",
        "/job//a//",
        "//job/a",
        "/job/%e9%00?a=%20&&b=?/",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n");
        let answer = host.raw(request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        let line = format!("GET http://example.com{path}\n");
        assert!(answer.contains(&line), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_request_without_a_host_is_for_the_address_it_came_to() {
    let host = Site::new(ROUTES).start(&[]).await;
    let answer = host.raw("GET /exact HTTP/1.0\r\n\r\n").await;
    let line = format!("GET http://{}/exact\n", host.address());
    assert!(answer.contains(&line), "{answer}");
}

#[tokio::test]
async fn the_host_tells_the_component_how_a_request_reached_it() {
    let host = Site::new(ROUTES).start(&[]).await;
    let given = host.get("/job/a/b?c").await.into_text();
    let full_url = format!("http://{}/job/a/b?c", host.address());
    for (name, value) in [
        ("spin-path-info", "/a/b"),
        ("spin-full-url", &full_url),
        ("spin-matched-route", "/job/..."),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", "/job/..."),
        ("spin-component-route", "/job"),
    ] {
        assert_eq!(values(&given, name), [value], "{name}");
    }
    let client = values(&given, "spin-client-addr");
    assert!(client[0].starts_with("127.0.0.1:"), "{client:?}");
    let given = host.get("/job/17").await.into_text();
    assert_eq!(values(&given, "spin-path-match-job-id"), ["17"]);
}

#[tokio::test]
async fn a_forged_header_comes_first_and_the_hosts_own_last() {
    let host = Site::new(ROUTES).start(&[]).await;
    let forged = [("spin-client-addr", "6.6.6.6:6"), ("spin-path-info", "/forged")];
    let client = host.client();
    let given = client.send("GET", "/job/a/b", &forged, "").await.into_text();
    assert_eq!(values(&given, "spin-path-info"), ["/forged", "/a/b"]);
    let clients = values(&given, "spin-client-addr");
    assert_eq!((clients.len(), clients[0]), (2, "6.6.6.6:6"));
    assert!(clients[1].starts_with("127.0.0.1:"), "{clients:?}");
}
