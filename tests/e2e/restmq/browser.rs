//! What a browser makes of the answers.

use crate::support::{Browser, Host, Redis};
use serde_json::json;

#[tokio::test]
async fn a_browser_shows_what_a_route_answers() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    host.client().insert("/q/letters", "1").await;
    let browser = Browser::start();
    let page = browser.open(&format!("{}/status/", host.base)).await;
    let text = page.run("document.body.innerText").await;
    let shown: serde_json::Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    assert_eq!(shown, json!({"queues": ["letters"], "size": 1}));
    let size = page.run("fetch('/status/letters').then(answer => answer.json())").await;
    assert_eq!(size, json!({"queue": "letters", "size": "1"}));
}

#[tokio::test]
#[should_panic(expected = "Error: so it goes")]
async fn what_a_script_throws_fails_the_test() {
    let browser = Browser::start();
    let page = browser.open("about:blank").await;
    page.run("Promise.reject(new Error('so it goes'))").await;
}

#[tokio::test]
#[should_panic(expected = "net::ERR_CONNECTION_REFUSED")]
async fn a_page_that_nobody_serves_fails_the_test() {
    // Nobody listens on a port that was given back just now.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    Browser::start().open(&format!("http://{port}/")).await;
}
