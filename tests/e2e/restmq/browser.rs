//! What a browser makes of the answers.

use crate::support::{Browser, Host, Page, Redis, eventually};
use serde_json::json;

/// Opens what the host answers in JSON: its pages have no rights in a browser.
async fn open(browser: &Browser, host: &Host) -> Page {
    browser.open(&format!("{}/stats/", host.base)).await
}

#[tokio::test]
async fn an_event_source_reads_a_queue_and_goes_on_by_itself_where_it_was_cut_off() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let browser = Browser::start();
    let page = open(&browser, &host).await;
    let start = "got = []; source = new EventSource('/c/letters');
        source.onmessage = event => {
            const message = JSON.parse(event.data);
            got.push([event.lastEventId, message && message.value]);
        };
        new Promise(opened => source.onopen = () => opened(true))";
    assert_eq!(page.run(start).await, true);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let post = async |value: &str| {
        let body = format!("value={value}");
        host.client().send("POST", "/q/letters", &form, body).await;
    };
    let got = async |count: usize| {
        eventually("the events came", async || {
            let got = page.run("got").await;
            (got.as_array().unwrap().len() >= count).then_some(got)
        })
        .await
    };
    post("caf%C3%A9%0A%3C/script%3E").await;
    post("2").await;
    assert_eq!(
        got(2).await,
        json!([["letters:1", "caf\u{e9}\n</script>"], ["letters:2", "2"]])
    );
    // Its connection ends, and it comes back by itself: it says what it got last.
    host.client().send("DELETE", "/q/letters", &[], "").await;
    post("3").await;
    let got = got(4).await;
    assert_eq!(got[2][1], json!(null));
    assert_eq!(got[3], json!(["letters:3", "3"]));
    assert_eq!(page.run("source.close(); source.readyState").await, 2);
}

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
