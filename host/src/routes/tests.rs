use super::*;

fn router(routes: &[&'static str]) -> Router<&'static str> {
    Router::new(routes.iter().map(|route| (*route, *route))).unwrap()
}

fn refusal(route: &str) -> String {
    Router::new([(route, ())]).unwrap_err().to_string()
}

#[test]
fn a_path_goes_to_the_best_route() {
    // The routes, a path, and the route that answers it ("" for none).
    let cases: &[(&[&'static str], &str, &str)] = &[
        // Exact beats `:param` beats the longest wildcard, in any order.
        (&["/...", "/a/...", "/a/:x", "/a/b"], "/a/b", "/a/b"),
        (&["/a/b", "/a/:x", "/a/...", "/..."], "/a/c", "/a/:x"),
        (&["/...", "/a/...", "/a/:x", "/a/b"], "/a/c/d", "/a/..."),
        (&["/a/...", "/..."], "/b", "/..."),
        (&["/a/...", "/a/b/...", "/a/b/c/..."], "/a/b/c/d", "/a/b/c/..."),
        (&["/a/b/c/...", "/a/b/...", "/a/..."], "/a/b/x", "/a/b/..."),
        // The comparison goes part by part, so a word first wins over what follows it.
        (&["/:x", "/q/..."], "/q", "/q/..."),
        (&["/:x/b", "/a/:y"], "/a/b", "/a/:y"),
        // A trailing wildcard.
        (&["/q/..."], "/q", "/q/..."),
        (&["/q/..."], "/q/", "/q/..."),
        (&["/q/..."], "/q/a/b/", "/q/..."),
        (&["/q/..."], "/qa", ""),
        (&["/q/..."], "/", ""),
        (&["/q", "/q/..."], "/q/", "/q"),
        (&["/", "/..."], "/", "/"),
        (&["/..."], "/", "/..."),
        // Slashes at the end, and at the start.
        (&["/q"], "/q/", "/q"),
        (&["/q"], "/q//", "/q"),
        (&["/q"], "//q", "/q"),
        (&["/q/"], "/q", "/q/"),
        (&["q"], "/q", "q"),
        (&["/q"], "/q/a", ""),
        (&["/"], "/", "/"),
        (&["/"], "/a", ""),
        // A `:param` is one part, and not empty.
        (&["/j/:id"], "/j/1", "/j/:id"),
        (&["/j/:id"], "/j/1/", "/j/:id"),
        (&["/j/:id"], "/j/", ""),
        (&["/j/:id"], "/j/1/2", ""),
        (&["/j/:id/x"], "/j/1/x", "/j/:id/x"),
        (&["/j/:id/..."], "/j/1", "/j/:id/..."),
        // Nothing is decoded or resolved, and case matters.
        (&["/a/b"], "/a%2Fb", ""),
        (&["/a/:x"], "/a/b%2Fc", "/a/:x"),
        (&["/a/b"], "/a//b", ""),
        (&["/a/b"], "/a/c/../b", ""),
        (&["/a/..."], "/a/../b", "/a/..."),
        (&["/b"], "/a/../b", ""),
        (&["/q"], "/Q", ""),
        (&["/a/:x"], "/a/é", "/a/:x"),
        // Dots are letters.
        (&["/a.b"], "/a.b", "/a.b"),
        (&["/a.b"], "/acb", ""),
        (&["/.well-known/x"], "/.well-known/x", "/.well-known/x"),
    ];
    for (routes, path, expected) in cases {
        let router = router(routes);
        let found = router.find(path).map_or("", |found| found.target);
        assert_eq!(found, *expected, "{path} among {routes:?}");
    }
}

#[test]
fn of_two_equal_routes_the_later_wins() {
    let router = Router::new([("/q", 1), ("/a", 2), ("/q", 3), ("/q/...", 4), ("/q/...", 5)]).unwrap();
    assert_eq!(*router.find("/q").unwrap().target, 3);
    assert_eq!(*router.find("/q/x").unwrap().target, 5);
    assert_eq!(*router.find("/a").unwrap().target, 2);
    assert_eq!(router.warnings().len(), 2);
    assert!(router.warnings()[0].contains("'/q'"));
}

#[test]
fn a_route_under_the_host_s_own_paths_is_warned_of() {
    assert_eq!(router(&["/.well-known/spin/x"]).warnings().len(), 1);
    assert!(
        router(&["/.well-known/spin", "/.well-known/spindle/..."])
            .warnings()
            .is_empty()
    );
}

#[test]
fn a_match_tells_its_parts() {
    // Route and path; then raw, matched, component route, path info.
    let cases = [
        ("/q/...", "/q/foo", ["/q/...", "/q/...", "/q", "/foo"]),
        ("/q/...", "/q", ["/q/...", "/q/...", "/q", ""]),
        ("/q/...", "/q/", ["/q/...", "/q/...", "/q", "/"]),
        ("/q/...", "/q/a/b/", ["/q/...", "/q/...", "/q", "/a/b/"]),
        ("/q/...", "/q/a//b", ["/q/...", "/q/...", "/q", "/a//b"]),
        ("/q/...", "/q//a", ["/q/...", "/q/...", "/q", "//a"]),
        ("/q/...", "/q/a%2Fb/..", ["/q/...", "/q/...", "/q", "/a%2Fb/.."]),
        ("/...", "/a/b", ["/...", "/...", "", "/a/b"]),
        ("/...", "/", ["/...", "/...", "", "/"]),
        ("/", "/", ["/", "", "/", ""]),
        ("/q/", "/q", ["/q/", "/q", "/q/", ""]),
        ("q/...", "/q/a", ["q/...", "/q/...", "q", "/a"]),
        ("/q/*", "/q/a", ["/q/*", "/q/*", "/q/*", "/a"]),
    ];
    for (route, path, expected) in cases {
        let router = router(&[route]);
        let found = router.find(path).unwrap();
        let parts = [
            found.raw_route,
            found.matched_route,
            found.component_route,
            &found.path_info,
        ];
        assert_eq!(parts, expected, "{route} with {path}");
    }
}

#[test]
fn named_wildcards_keep_their_order_and_their_escapes() {
    let router = router(&["/a/:x/:y_Z/..."]);
    let found = router.find("/a/1%2F2/3/rest").unwrap();
    assert_eq!(
        found.named,
        [("x".to_owned(), "1%2F2".to_owned()), ("y_Z".to_owned(), "3".to_owned())]
    );
    assert_eq!(found.path_info, "/rest");
}

#[test]
fn the_headers_are_those_of_spin() {
    let router = router(&["/q/:user_Name/..."]);
    let found = router.find("/q/7/a/b").unwrap();
    let headers = spin_headers(
        &found,
        "/q/7/a/b?x=1&y",
        "jobs.example:3000",
        "127.0.0.1:8777".parse().unwrap(),
    );
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    assert_eq!(
        headers,
        [
            ("spin-path-info", "/a/b"),
            ("spin-full-url", "http://jobs.example:3000/q/7/a/b?x=1&y"),
            ("spin-matched-route", "/q/:user_Name/..."),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", "/q/:user_Name/..."),
            ("spin-component-route", "/q/:user_Name"),
            ("spin-client-addr", "127.0.0.1:8777"),
            ("spin-path-match-user-name", "7"),
        ]
    );
}

#[test]
fn a_route_the_router_would_panic_on_is_refused() {
    assert_eq!(
        refusal("/a/*/b"),
        "route '/a/*/b': a wildcard can only be the last part of a route, as in /q/..."
    );
    assert!(refusal("/é/:x/:y").contains("only ASCII"));
    assert!(refusal("/a/:").contains("params must be named"));
    assert!(refusal("/a/*rest").contains("doesn't need a name"));
}

#[test]
fn no_path_makes_the_router_panic() {
    let router = router(&["/", "/a/:x", "/a/:x.json", "/a.b/:c.:d/...", "/x/...", "/:p"]);
    for path in [
        "",
        "/",
        "//",
        "///a",
        "/a/é",
        "/a/é.json",
        "/a/x.é",
        "/a.b/1.2",
        "/a.b/é.é/é/",
        "/é",
        "*",
        "a",
        "/a/./",
    ] {
        let _ = router.find(path);
    }
}
