//! The page in a browser.

use crate::support::{Answer, Browser, Host, HostOptions, Look, PATIENCE, Page, Proxy, Redis, assert_sound, until};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// A name that would run a script, were it taken for markup.
const HOSTILE: &str = "<img src=x onerror=ran=1>";

/// A number that no double can hold, and how a program may write a fraction.
const EXACT: &str = r#"{"id":9007199254740993,"share":1.50,"text":"</script><script>ran=1</script>"}"#;

struct Dashboard {
    // Kept for as long as the page is looked at.
    _browser: Browser,
    page: Page,
}

impl Dashboard {
    /// Opens the page at a place of it, which is what follows `#`.
    async fn open(base: &str, place: &str) -> Self {
        let browser = Browser::start();
        let page = browser.open(&format!("{base}/#{place}")).await;
        page.run(
            "violations = []; new ReportingObserver(all => violations.push(...all.map(one => one.body.blockedURL)),
             {types: ['csp-violation'], buffered: true}).observe()",
        )
        .await;
        Self {
            _browser: browser,
            page,
        }
    }

    async fn go(&self, place: &str) {
        self.page.run(&format!("location.hash = {}", json!(place))).await;
    }

    async fn text(&self) -> String {
        let text = self.page.run("document.body.innerText").await;
        text.as_str().expect("a text").to_owned()
    }

    /// Waits until the page shows all these texts.
    async fn shows(&self, texts: &[&str]) {
        let start = Instant::now();
        loop {
            let shown = self.text().await;
            if texts.iter().all(|text| shown.contains(text)) {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the page does not show {texts:?}, but: {shown}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Presses the button or link with this text in front, in the dialog if there is one.
    async fn press(&self, text: &str) {
        let press = format!(
            "(() => {{
                const within = document.querySelector('dialog') ?? document;
                const all = [...within.querySelectorAll('button, a')].filter(one => one.checkVisibility());
                const wanted = all.find(one => one.textContent.trim().startsWith({}) && !one.disabled);
                wanted?.click();
                return Boolean(wanted);
            }})()",
            json!(text)
        );
        until(&format!("there is a button {text:?}"), async || {
            self.page.run(&press).await == true
        })
        .await;
    }

    async fn run(&self, js: &str) -> Value {
        self.page.run(js).await
    }

    /// Nothing of what users wrote has run, and nothing was asked for that the page's policy forbids.
    async fn assert_harmless(&self) {
        assert_eq!(self.run("typeof ran").await, "undefined");
        assert_eq!(
            self.run("document.querySelectorAll('main script, main img').length")
                .await,
            0
        );
        assert_eq!(self.run("violations").await, json!([]));
    }
}

async fn body(answer: Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"))
}

async fn insert(host: &Host, queue: &str, job: Value) -> String {
    let target = format!("/v1/queues/{queue}/jobs");
    let answer = host.client().send("POST", &target, &[JSON], job.to_string()).await;
    body(answer).await["id"].as_str().expect("an id").to_owned()
}

/// Has a worker fail the next job for good.
async fn bury(host: &Host, queue: &str, error: &str) {
    let client = host.client();
    let claims = format!("/v1/queues/{queue}/claims");
    let claimed = body(client.send("POST", &claims, &[JSON], r#"{"worker":"w"}"#).await).await;
    let receipt = claimed["jobs"][0]["receipt"].as_str().expect("a receipt");
    let nack = json!({"error": error, "dead": true}).to_string();
    let answer = client
        .send("POST", &format!("{claims}/{receipt}/nack"), &[JSON], nack)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn queue(host: &Host, queue: &str) -> Value {
    body(host.get(&format!("/v1/queues/{queue}")).await).await
}

#[tokio::test]
async fn the_page_shows_queues_and_jobs_and_what_users_wrote_only_as_text() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let name = "%3Cimg%20src%3Dx%20onerror%3Dran%3D1%3E";
    let target = format!("/v1/queues/{name}/jobs");
    let job = format!("{{\"payload\":{EXACT},\"metadata\":{{\"note\":\"{HOSTILE}\"}}}}");
    let inserted = host.client().send("POST", &target, &[JSON], job).await;
    let id = body(inserted).await["id"].as_str().expect("an id").to_owned();
    insert(&host, "mail", json!({"payload": 1})).await;

    let dashboard = Dashboard::open(&host.base, "").await;
    dashboard.shows(&["Live", HOSTILE, "mail", "no worker"]).await;
    dashboard.go(&format!("/queues/{name}")).await;
    dashboard.shows(&[HOSTILE, "Ready", "Settings"]).await;
    dashboard.go(&format!("/queues/{name}/jobs/{id}")).await;
    dashboard
        .shows(&[HOSTILE, "9007199254740993", "1.50", "</script><script>ran=1</script>"])
        .await;
    dashboard.assert_harmless().await;
}

#[tokio::test]
async fn a_queue_is_paused_resumed_and_deleted_by_its_name() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    insert(&host, "mail", json!({"payload": 1})).await;
    let dashboard = Dashboard::open(&host.base, "/queues/mail").await;
    dashboard.press("Pause").await;
    dashboard.shows(&["Pause the queue?"]).await;
    dashboard.press("Pause").await;
    dashboard.shows(&["paused", "Resume"]).await;
    assert_eq!(queue(&host, "mail").await["settings"]["paused"], true);
    dashboard.press("Resume").await;
    until("the queue is open", async || {
        queue(&host, "mail").await["settings"]["paused"] == false
    })
    .await;

    dashboard.press("Delete").await;
    dashboard.shows(&["Delete the queue?"]).await;
    let is_disabled = "document.querySelector('dialog button[type=submit]').disabled";
    assert_eq!(dashboard.run(is_disabled).await, true);
    for letter in "mail".chars() {
        dashboard.page.press(&letter.to_string()).await;
    }
    assert_eq!(dashboard.run(is_disabled).await, false);
    dashboard.page.press("Enter").await;
    until("the queue is gone", async || {
        host.get("/v1/queues/mail").await.status == 404
    })
    .await;
    // The first page, which has nothing to show now, says how to begin.
    dashboard.shows(&["curl", "/v1/queues/"]).await;
    dashboard.assert_harmless().await;
    assert_sound(&redis).await;
}

#[tokio::test]
async fn dead_jobs_are_grouped_by_error_and_redriven() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    for error in ["no route to smtp", "no route to smtp", HOSTILE] {
        insert(&host, "mail", json!({"payload": 1})).await;
        bury(&host, "mail", error).await;
    }
    let dashboard = Dashboard::open(&host.base, "/queues/mail?state=dead").await;
    dashboard
        .shows(&["no route to smtp", HOSTILE, "3 dead jobs in this queue"])
        .await;
    dashboard.press("no route to smtp").await;
    dashboard.shows(&["2 dead jobs with this error"]).await;
    dashboard.press("Redrive 2").await;
    dashboard.press("Redrive").await;
    dashboard.shows(&["2 jobs ready again"]).await;
    let counts = &queue(&host, "mail").await["counts"];
    assert_eq!((&counts["ready"], &counts["dead"]), (&json!(2), &json!(1)));
    dashboard.assert_harmless().await;
}

#[tokio::test]
async fn a_queue_or_a_job_that_is_not_there_is_said_to_be_so() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    insert(&host, "mail", json!({"payload": 1})).await;
    let dashboard = Dashboard::open(&host.base, "/queues/none").await;
    dashboard.shows(&["There is no such queue"]).await;
    dashboard.go("/queues/mail/jobs/0000000000091a1fc55701b4").await;
    dashboard.shows(&["There is no such job"]).await;
    dashboard.go("/nowhere").await;
    dashboard.shows(&["There is no such page"]).await;
}

#[tokio::test]
async fn where_there_are_keys_the_page_asks_for_one_and_offers_only_what_it_may_do() {
    let redis = Redis::start();
    let line = |name: &str, scopes: &str| format!("{name} sha256:{:x} scopes={scopes}", Sha256::digest(name));
    let keys = format!("keys={};{}", line("reader", "read"), line("boss", "insert,read,admin"));
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", &keys],
        ..HostOptions::default()
    });
    let insert = [JSON, ("authorization", "Bearer boss")];
    let answer = host
        .client()
        .send("POST", "/v1/queues/mail/jobs", &insert, "{\"payload\":1}")
        .await;
    assert_eq!(answer.status, 201);

    let dashboard = Dashboard::open(&host.base, "/queues/mail").await;
    for (key, sees_buttons) in [("reader", false), ("boss", true)] {
        dashboard.shows(&["This server needs a key"]).await;
        for letter in key.chars() {
            dashboard.page.press(&letter.to_string()).await;
        }
        dashboard.page.press("Enter").await;
        dashboard.shows(&["mail", "Live", "Oldest ready"]).await;
        let shown = dashboard.text().await;
        for button in ["Pause", "New job", "Delete…"] {
            assert_eq!(shown.contains(button), sees_buttons, "{key}: {button}");
        }
        dashboard.press("Forget key").await;
    }
    dashboard.shows(&["This server needs a key"]).await;
    assert_eq!(
        dashboard
            .run("JSON.stringify(localStorage) + sessionStorage.length")
            .await,
        "{}0"
    );
}

#[tokio::test]
async fn the_page_says_when_it_is_out_of_touch_and_goes_on_by_itself() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    insert(&host, "mail", json!({"payload": 1})).await;
    let port = |host: &Host| host.address().rsplit_once(':').unwrap().1.parse().unwrap();
    let proxy = Proxy::before(port(&host));
    let dashboard = Dashboard::open(&format!("http://127.0.0.1:{}", proxy.port()), "").await;
    dashboard.shows(&["Live", "mail"]).await;
    // Nobody can listen there.
    proxy.lead_to(0);
    proxy.drop_connections();
    dashboard.shows(&["Out of touch", "mail"]).await;
    insert(&host, "news", json!({"payload": 1})).await;
    proxy.lead_to(port(&host));
    dashboard.shows(&["Live", "news"]).await;
    assert!(!dashboard.text().await.contains("Out of touch"));
}

#[tokio::test]
async fn all_can_be_reached_by_keys_alone() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    for queue in ["mail", "news"] {
        insert(&host, queue, json!({"payload": 1})).await;
    }
    let dashboard = Dashboard::open(&host.base, "").await;
    dashboard.shows(&["mail", "news"]).await;
    dashboard.page.press("?").await;
    dashboard.shows(&["Keyboard", "Next row"]).await;
    dashboard.page.press("Escape").await;
    until("the help is closed", async || {
        dashboard.run("document.querySelector('dialog')").await.is_null()
    })
    .await;
    for key in ["j", "j", "k", "j", "Enter"] {
        dashboard.page.press(key).await;
    }
    until("the second queue is shown", async || {
        dashboard.run("location.hash").await == "#/queues/news"
    })
    .await;
    dashboard.shows(&["Oldest ready", "Settings"]).await;
    dashboard.page.press("Escape").await;
    until("the queues are shown", async || {
        dashboard.run("location.hash").await == "#/"
    })
    .await;
    dashboard.page.press("/").await;
    for letter in "mai".chars() {
        dashboard.page.press(&letter.to_string()).await;
    }
    dashboard.shows(&["1 of 2 queues match"]).await;
    assert_eq!(dashboard.run("location.hash").await, "#/?search=mai");
}

#[tokio::test]
async fn no_view_is_wider_than_its_window_and_each_is_kept_as_a_picture() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    for queue in [
        "mail",
        "news",
        "a-queue-with-a-long-name-that-goes-on-and-on-and-on-and-on-and-on",
        "%D8%B1%D8%B3%D8%A7%D8%A6%D9%84",
    ] {
        for _ in 0..5 {
            insert(
                &host,
                queue,
                json!({"payload": {"to": "ann"}, "metadata": {"source": "test"}}),
            )
            .await;
        }
        bury(&host, queue, "no route to smtp.example.com").await;
    }
    let id = insert(&host, "mail", json!({"payload": {"to": "ann", "number": 1}})).await;
    let dashboard = Dashboard::open(&host.base, "").await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, place, text) in [
        ("overview", "/", "mail"),
        ("queue", "/queues/mail", "Show as a table"),
        ("dead", "/queues/mail?state=dead", "no route"),
        ("job", &format!("/queues/mail/jobs/{id}"), "ann"),
        ("settings", "/queues/mail/settings", "Save"),
        ("workers", "/workers", "w"),
        ("new", "/new", "Payload"),
    ] {
        dashboard.go(place).await;
        dashboard.shows(&[text, "Live"]).await;
        for (kind, width, is_dark) in [("light", 1280, false), ("dark", 1280, true), ("phone", 390, false)] {
            let height = if width < 600 { 844 } else { 900 };
            dashboard.page.look(Look { width, height, is_dark }).await;
            let is_too_wide = "document.documentElement.scrollWidth > innerWidth";
            assert_eq!(dashboard.run(is_too_wide).await, false, "{name} {kind}");
            std::fs::write(
                folder.join(format!("{name}-{kind}.png")),
                dashboard.page.screenshot().await,
            )
            .unwrap();
        }
    }
}
