//! What a page of another site can do in a real browser: nothing, unless its site is allowed.

use super::calls::{call, is_restmq_alone};
use crate::support::{Browser, Host, HostOptions, Page, Redis, eventually};
use presque::gate::Operation;
use serde_json::{Value, json};

/// Sends everything that a page can send without being asked for permission first, in all ways there are, and waits until the
/// browser says of each that it is over.
const ATTACK: &str = "
    const over = start => new Promise(start);
    const element = (name, set) => over(done => {
        const made = document.createElement(name);
        made.onload = made.onerror = done;
        set(made);
        document.body.append(made);
    });
    const form = (url, method, fields) => over(done => {
        const frame = document.createElement('iframe');
        frame.name = 'frame' + Math.random();
        const form = document.createElement('form');
        Object.assign(form, {action: url, method, target: frame.name});
        for (const [name, value] of fields) {
            form.append(Object.assign(document.createElement('input'), {name, value}));
        }
        document.body.append(frame, form);
        frame.onload = done;
        form.submit();
    });
    const sent = [];
    for (const {method, target, body} of calls) {
        const url = base + target;
        if (method == 'GET') {
            sent.push(element('img', made => made.src = url), element('script', made => made.src = url));
            sent.push(element('iframe', made => made.src = url));
            sent.push(element('link', made => Object.assign(made, {rel: 'stylesheet', href: url})));
        }
        for (const mode of ['no-cors', 'cors']) {
            const request = {method, mode, body: method == 'GET' ? undefined : body, credentials: 'include'};
            if (method == 'GET' || method == 'POST') {
                sent.push(fetch(url, request).catch(() => {}));
            }
        }
        if (method == 'POST') {
            const fields = [...new URLSearchParams(body)];
            sent.push(form(url, 'POST', fields.length ? fields : [[body, '']]));
            navigator.sendBeacon(url, body);
        }
    }
    sent.push(over(done => { const source = new EventSource(base + '/c/mine'); source.onerror = () => { source.close(); done(); }; }));
    Promise.all(sent).then(all => all.length)";

fn calls() -> Value {
    let calls = Operation::ALL.iter().filter(|operation| !is_restmq_alone(**operation));
    let calls = calls.map(|operation| {
        let call = call(*operation, "mine");
        json!({"method": call.method, "target": call.target, "body": call.body})
    });
    calls.collect()
}

/// A host whose pages are another site to the one that is tested, and a page of it.
async fn other_site(browser: &Browser, redis: &Redis) -> (Host, Page) {
    let other = Host::on(redis);
    let page = browser.open(&format!("{}/status/", other.base)).await;
    (other, page)
}

async fn scripts(redis: &Redis) -> i64 {
    let commands = redis.commands().await;
    ["evalsha", "eval"].iter().filter_map(|name| commands.get(*name)).sum()
}

#[tokio::test]
async fn a_page_of_another_site_takes_nothing_and_changes_nothing_on_any_route() {
    let (redis, of_other) = (Redis::start(), Redis::start());
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--log-level", "info"],
        ..HostOptions::default()
    });
    host.client().insert("/q/mine", "1").await;
    let before = scripts(&redis).await;
    let browser = Browser::start();
    let (_other, same_site) = other_site(&browser, &of_other).await;
    let no_site = browser.open("data:text/html,<body>").await;
    for page in [same_site, no_site] {
        let attack = format!("{{ const base = {:?}, calls = {}; {ATTACK} }}", host.base, calls());
        let sent = page.run(&attack).await;
        assert!(sent.as_u64().unwrap() > 150, "{sent}");
    }
    // A beacon gives no event.
    let refused = || host.log().lines().filter(|line| line.contains("status=403")).count();
    eventually("the requests came", async || (refused() > 200).then_some(())).await;
    let log = host.log();
    let other: Vec<_> = log
        .lines()
        .filter(|line| line.contains("INFO request ") && !line.contains("status=403"))
        .collect();
    // The job that the test has inserted, and what a browser asks before it sends what is not simple.
    let is_known =
        |line: &&str| line.contains("status=201") || line.contains("method=OPTIONS") && line.contains("status=204");
    let unknown: Vec<_> = other.into_iter().filter(|line| !is_known(line)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert_eq!(scripts(&redis).await, before);
    assert_eq!(host.get("/q/mine").await.text(), "1");
}

#[tokio::test]
async fn a_page_of_an_allowed_site_can_do_everything() {
    let (redis, of_other) = (Redis::start(), Redis::start());
    let browser = Browser::start();
    let (other, page) = other_site(&browser, &of_other).await;
    let allowed = format!("allowed_origins={}", other.base);
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", &allowed],
        ..HostOptions::default()
    });
    let base = &host.base;
    let run = async |js: &str| page.run(&format!("{{ const base = {base:?}; {js} }}")).await;
    // Asked for permission first.
    let inserted = run(
        "fetch(base + '/v1/queues/mail/jobs', {method: 'POST', body: '{\"payload\":1}',
        headers: {'content-type': 'application/json', 'idempotency-key': 'a'}})
        .then(answer => [answer.status, answer.headers.get('location')])",
    );
    let inserted = inserted.await;
    assert_eq!(inserted[0], 201);
    assert!(
        inserted[1].as_str().unwrap().starts_with("/v1/queues/mail/jobs/"),
        "{inserted}"
    );
    let tag = run("fetch(base + '/v1/queues/mail').then(answer => answer.headers.get('etag'))").await;
    assert!(tag.as_str().unwrap().starts_with('"'), "{tag}");
    let put = run(
        "fetch(base + '/v1/queues/mail', {method: 'PUT', body: '{\"max_attempts\":5}'}).then(answer => answer.status)",
    )
    .await;
    assert!(put.is_number(), "{put}");
    // A script and an image do not say their origin, and are known by their page's address.
    host.client().form("/q/letters", "value=hello").await;
    let called = run("new Promise(done => { window.cb = message => done(message.value);
        document.body.append(Object.assign(document.createElement('script'), {src: base + '/q/letters?callback=cb'})); })");
    assert_eq!(called.await, "hello");
    let event = "new Promise(done => { window.source = new EventSource(base + '/c/letters');
        source.onopen = () => fetch(base + '/q/letters', {method: 'POST', body: new URLSearchParams({value: 'now'})});
        source.onmessage = event => { source.close(); done(JSON.parse(event.data).value); }; })";
    assert_eq!(run(event).await, "now");
}
