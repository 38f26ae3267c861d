//! A real browser without a window. Tests see in it what pages and their scripts see.
//!
//! Chromium is told what to do over its DevTools protocol: JSON messages, each with a zero byte behind it, which it reads
//! from file descriptor 3 and writes to 4. Unlike its WebSocket that needs no port.

use crate::PATIENCE;
use base64::Engine;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// What can be run as Chromium, the first preferred.
const PROGRAMS: &str = "chromium chromium-browser google-chrome";

/// Becomes the first program there is, and lays the pipes where it looks for them.
const LAUNCHER: &str = r#"
    for program in $PROGRAMS; do
        if command -v "$program" >/dev/null; then
            exec "$program" "$@" 3<&0 4>&1 </dev/null >/dev/null
        fi
    done
    echo "there is none of $PROGRAMS: run \`cargo xtask test\`" >&2
"#;

/// No window, no greeting, and no word to anyone but the server of the test: not even a name is looked up.
const FLAGS: [&str; 19] = [
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--password-store=basic",
    "--use-mock-keychain",
];

/// A running browser. Ends with its value, and its pages with it.
pub struct Browser {
    child: Child,
    wire: Arc<Wire>,
    dir: TempDir,
}

/// A page that is open in a browser.
pub struct Page {
    wire: Arc<Wire>,
    session: String,
}

impl Browser {
    /// Starts the first browser there is.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let log = std::fs::File::create(dir.path().join("log")).expect("a log file");
        let mut command = Command::new("sh");
        command
            .args(["-c", LAUNCHER, "sh"])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
            .env("PROGRAMS", PROGRAMS)
            .env("HOME", dir.path())
            .env("TMPDIR", dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // It has a dozen children: a group of their own can be ended as one.
            .process_group(0);
        if is_root() {
            // Chromium refuses to start otherwise.
            command.arg("--no-sandbox");
        }
        for name in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
        let mut child = command.spawn().expect("sh starts");
        let wire = Wire::new(
            child.stdin.take().expect("its input is piped"),
            child.stdout.take().expect("its output is piped"),
        );
        Self { child, wire, dir }
    }

    /// Opens a page, and returns when it is loaded.
    pub async fn open(&self, url: &str) -> Page {
        let target = self
            .wire
            .call(None, "Target.createTarget", json!({"url": "about:blank"}))
            .await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.wire.call(None, "Target.attachToTarget", attach).await;
        let page = Page {
            wire: self.wire.clone(),
            session: attached["sessionId"].as_str().expect("a session").to_owned(),
        };
        // Answered when the page is there, though not all that it loads.
        let went = self
            .wire
            .call(Some(&page.session), "Page.navigate", json!({"url": url}));
        let went = went.await;
        assert!(went.get("errorText").is_none(), "{url}: {}", went["errorText"]);
        page.run("new Promise(done => document.readyState == 'complete' ? done() : addEventListener('load', done))")
            .await;
        page
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The group has the number of its first process, which is nobody else's before `wait`.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the browser's log:\n{}", self.log());
        }
    }
}

impl Page {
    /// The value of a JavaScript expression, or what a promise gives that is its value. Panics when it throws.
    pub async fn run(&self, js: &str) -> Value {
        let expression = json!({"expression": js, "awaitPromise": true, "returnByValue": true});
        let mut answer = self
            .wire
            .call(Some(&self.session), "Runtime.evaluate", expression)
            .await;
        if let Some(thrown) = answer.get("exceptionDetails") {
            let text = thrown["exception"]["description"].as_str();
            panic!("{js}: {}", text.map_or_else(|| thrown.to_string(), str::to_owned));
        }
        answer["result"]["value"].take()
    }
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Whether its user likes dark colours.
    pub is_dark: bool,
}

impl Page {
    /// Looks at the page in another way from now on.
    pub async fn look(&self, look: Look) {
        let size =
            json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.width < 600});
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if look.is_dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}]});
        self.call("Emulation.setEmulatedMedia", media).await;
    }

    /// Presses a key: a character, or a name such as `Enter`.
    pub async fn press(&self, key: &str) {
        // What a dialog does with a key goes by the number of old.
        let (text, number) = match key {
            "Enter" => ("\r", 13),
            "Escape" => ("", 27),
            key if key.chars().count() == 1 => (key, 0),
            _ => ("", 0),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({"type": kind, "key": key, "text": text, "windowsVirtualKeyCode": number});
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// What the page looks like, as the bytes of a PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        let shot = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        let data = shot["data"].as_str().expect("a picture");
        base64::prelude::BASE64_STANDARD.decode(data).expect("base64")
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        self.wire.call(Some(&self.session), method, params).await
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0)
}

/// The way to the browser and back. Calls may be under way at the same time.
struct Wire {
    input: Mutex<ChildStdin>,
    last_id: AtomicU64,
    waiting: Arc<Mutex<Waiting>>,
}

/// Who waits for the answer of which call. `None` when the browser says nothing any more.
type Waiting = Option<HashMap<u64, oneshot::Sender<Value>>>;

impl Wire {
    fn new(input: ChildStdin, output: ChildStdout) -> Arc<Self> {
        let waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let readers = waiting.clone();
        std::thread::spawn(move || listen(output, &readers));
        Arc::new(Self {
            input: Mutex::new(input),
            last_id: AtomicU64::new(0),
            waiting,
        })
    }

    /// Calls a method of the browser, or of a page: that of a session.
    async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let (sender, receiver) = oneshot::channel();
        if let Some(waiting) = &mut *self.waiting.lock().expect("no panic under this lock") {
            waiting.insert(id, sender);
        }
        let bytes = format!("{message}\0");
        // Should this fail, the browser is gone, and the receiver learns it.
        let _ = self
            .input
            .lock()
            .expect("no panic under this lock")
            .write_all(bytes.as_bytes());
        let answer = tokio::time::timeout(PATIENCE, receiver).await;
        let answer = answer.unwrap_or_else(|_| panic!("{message}: no answer within {PATIENCE:?}"));
        let mut answer = answer.unwrap_or_else(|_| panic!("{message}: the browser is gone"));
        if let Some(error) = answer.get("error") {
            panic!("{message}: {error}");
        }
        answer["result"].take()
    }
}

/// Hands out answers until the browser closes its end. Events, which have no id, are passed over.
fn listen(output: ChildStdout, waiting: &Mutex<Waiting>) {
    for message in BufReader::new(output).split(0).map_while(Result::ok) {
        let message: Value = serde_json::from_slice(&message).unwrap_or_default();
        let mut waiting = waiting.lock().expect("no panic under this lock");
        if let (Some(waiting), Some(id)) = (&mut *waiting, message["id"].as_u64())
            && let Some(sender) = waiting.remove(&id)
        {
            let _ = sender.send(message);
        }
    }
    *waiting.lock().expect("no panic under this lock") = None;
}
