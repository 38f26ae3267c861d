//! Workers of `/v1`: what each of them must do, in whatever language.

use super::{Worker, go, program, script, script_if_there};
use crate::support::{Client, Host, Proxy, Redis, eventually, patiently};
use serde_json::{Value, json};
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// A server whose queue `mail` keeps what is done.
struct Server {
    _redis: Redis,
    host: Host,
    client: Client,
}

impl Server {
    async fn start() -> Self {
        let redis = Redis::start();
        let host = Host::on(&redis);
        let client = host.client();
        let set = client
            .send("PUT", "/v1/queues/mail", &[JSON], r#"{"retain":600}"#)
            .await;
        assert_eq!(set.status, 201, "{set:?}");
        Self {
            _redis: redis,
            host,
            client,
        }
    }

    /// Inserts a job, and gives its path.
    async fn insert(&self, job: Value) -> String {
        let answer = self.client.post("/v1/queues/mail/jobs", job.to_string()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.header("location").expect("the job's path").to_owned()
    }

    /// Waits until the job is in this state, and gives it.
    async fn until(&self, path: &str, state: &str) -> Value {
        eventually(&format!("{path} is {state}"), async || {
            let answer = self.client.get(path).await;
            let job: Value = serde_json::from_slice(&answer.body).unwrap();
            (job["state"] == state).then_some(job)
        })
        .await
    }

    /// Waits until the job is done, which must have been at its first attempt, and with the result of the examples.
    async fn until_done(&self, path: &str) {
        let job = self.until(path, "done").await;
        assert_eq!(
            (&job["attempt"], &job["result"]),
            (&json!(1), &json!("printed")),
            "{job}"
        );
    }
}

async fn acks_with_the_result_and_nacks_with_the_error(mut command: Command) {
    let server = Server::start().await;
    let first = server.insert(json!({"payload": {"n": 1}})).await;
    let failing = json!({
        "payload": {"boom": "out of paper"}, "max_attempts": 3, "backoff": {"kind": "fixed", "delay": 0.1},
    });
    let failing = server.insert(failing).await;
    let last = server.insert(json!({"payload": [2]})).await;
    command.args([&server.host.base, "mail"]);
    let worker = Worker::start(command);

    server.until_done(&first).await;
    server.until_done(&last).await;
    let dead = server.until(&failing, "dead").await;
    assert_eq!(
        (&dead["reason"], &dead["attempt"]),
        (&json!("failed"), &json!(3)),
        "{dead}"
    );
    let errors: Vec<_> = dead["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["error"])
        .collect();
    assert_eq!(errors, ["out of paper"; 3]);
    let workers = server.client.get("/v1/workers").await;
    let workers: Value = serde_json::from_slice(&workers.body).unwrap();
    assert_eq!(
        workers["workers"].as_array().unwrap().len(),
        1,
        "it has a name: {workers}"
    );

    worker.terminate();
    let (status, printed) = worker.end().await;
    assert!(status.success(), "{status}: {printed:?}");
    assert_eq!(printed, ["{\"n\":1}", "[2]"]);
}

async fn holds_a_long_job_and_finishes_it_before_it_stops(mut command: Command) {
    let server = Server::start().await;
    let job = server.insert(json!({"payload": {"sleep": 3}})).await;
    command.args([&server.host.base, "mail", "2"]);
    let worker = Worker::start(command);
    server.until(&job, "active").await;
    worker.terminate();
    // A claim is what finds leases that have ended.
    let done = eventually("the job is done", async || {
        let claim = server.client.post("/v1/queues/mail/claims", "{}").await;
        assert_eq!(claim.status, 204, "the lease is not lost: {claim:?}");
        let shown: Value = serde_json::from_slice(&server.client.get(&job).await.body).unwrap();
        (shown["state"] == "done").then_some(())
    });
    done.await;
    server.until_done(&job).await;
    let (status, printed) = worker.end().await;
    assert!(status.success(), "{status}: {printed:?}");
    assert_eq!(printed, ["{\"sleep\":3}"]);
}

async fn goes_on_when_the_server_was_away(mut command: Command) {
    let server = Server::start().await;
    let away = Away::start().await;
    let proxy = Proxy::before(away.port());
    let port = server.host.address().rsplit(':').next().unwrap().parse().unwrap();
    command.args([&format!("http://127.0.0.1:{}", proxy.port()), "mail", "1"]);
    let first = server.insert(json!({"payload": 1})).await;
    let _worker = Worker::start(command);
    away.fail_in_each_way().await;
    proxy.lead_to(port);
    server.until_done(&first).await;

    // And while it works: then it is the acknowledgement that fails.
    let second = server.insert(json!({"payload": {"sleep": 2}})).await;
    let claimed = server.until(&second, "active").await;
    // That the store has the claim does not say that the worker has its answer; that it extends the lease does.
    eventually("the lease is extended", async || {
        let shown: Value = serde_json::from_slice(&server.client.get(&second).await.body).unwrap();
        (shown["lease_ends_at"] != claimed["lease_ends_at"]).then_some(())
    })
    .await;
    proxy.lead_to(away.port());
    proxy.drop_connections();
    away.fail_in_each_way().await;
    proxy.lead_to(port);
    server.until_done(&second).await;
}

async fn drops_a_job_that_was_cancelled(mut command: Command) {
    let server = Server::start().await;
    let endless = server.insert(json!({"payload": {"sleep": 3600}})).await;
    let next = server.insert(json!({"payload": 2})).await;
    command.args([&server.host.base, "mail", "1"]);
    let _worker = Worker::start(command);
    server.until(&endless, "active").await;
    let cancelled = server.client.send("DELETE", &endless, &[], "").await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    server.until_done(&next).await;
}

async fn loses_its_lease_when_it_is_killed(mut command: Command) {
    let server = Server::start().await;
    let job = server.insert(json!({"payload": {"sleep": 3600}})).await;
    command.args([&server.host.base, "mail", "1"]);
    let mut worker = Worker::start(command);
    server.until(&job, "active").await;
    worker.kill();
    let again = eventually("the job is handed out again", async || {
        let claim = server.client.post("/v1/queues/mail/claims", "{}").await;
        (claim.status == 200).then(|| serde_json::from_slice::<Value>(&claim.body).unwrap())
    })
    .await;
    assert_eq!(again["jobs"][0]["lost_leases"], 1, "{again}");
}

/// A server that is away, or as good as that.
struct Away(TcpListener);

impl Away {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    fn port(&self) -> u16 {
        self.0.local_addr().expect("an address").port()
    }

    async fn accept(&self) -> TcpStream {
        let (client, _) = patiently("a connection", self.0.accept()).await.expect("a connection");
        client
    }

    /// Waits for three requests: the first meets a connection that breaks, the others a server that has none behind it, and
    /// one that waited too long for the request.
    async fn fail_in_each_way(&self) {
        drop(self.accept().await);
        for status in ["503 Service Unavailable", "408 Request Timeout"] {
            let mut client = self.accept().await;
            let _ = client.read(&mut [0; 4096]).await;
            let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            let _ = client.write_all(answer.as_bytes()).await;
        }
    }
}

/// A test of a worker that keeps these rules, which are tried at the same time: each waits most of the time. Where what runs the
/// worker is not installed, the test passes it over.
macro_rules! worker {
    ($test:ident, $command:expr, $($rule:ident),+) => {
        #[tokio::test]
        async fn $test() {
            tokio::join!($(async {
                if let Some(command) = Option::<Command>::from($command) {
                    $rule(command).await;
                }
            }),+);
        }
    };
}

worker!(
    the_worker_in_shell_keeps_the_rules,
    script("sh", "v1/worker.sh"),
    acks_with_the_result_and_nacks_with_the_error,
    holds_a_long_job_and_finishes_it_before_it_stops,
    goes_on_when_the_server_was_away,
    loses_its_lease_when_it_is_killed
);

worker!(
    the_worker_in_python_keeps_the_rules,
    script("python3", "v1/worker.py"),
    acks_with_the_result_and_nacks_with_the_error,
    holds_a_long_job_and_finishes_it_before_it_stops,
    goes_on_when_the_server_was_away,
    loses_its_lease_when_it_is_killed,
    drops_a_job_that_was_cancelled
);

worker!(
    the_worker_in_javascript_keeps_the_rules,
    script("node", "v1/worker.mjs"),
    acks_with_the_result_and_nacks_with_the_error,
    holds_a_long_job_and_finishes_it_before_it_stops,
    goes_on_when_the_server_was_away,
    loses_its_lease_when_it_is_killed,
    drops_a_job_that_was_cancelled
);

worker!(
    the_worker_in_rust_keeps_the_rules,
    program("v1_worker"),
    acks_with_the_result_and_nacks_with_the_error,
    holds_a_long_job_and_finishes_it_before_it_stops,
    goes_on_when_the_server_was_away,
    loses_its_lease_when_it_is_killed,
    drops_a_job_that_was_cancelled
);

worker!(
    the_worker_in_go_keeps_the_rules,
    go("worker"),
    acks_with_the_result_and_nacks_with_the_error,
    holds_a_long_job_and_finishes_it_before_it_stops,
    goes_on_when_the_server_was_away,
    loses_its_lease_when_it_is_killed,
    drops_a_job_that_was_cancelled
);

worker!(
    the_worker_in_ruby_keeps_the_rules,
    script_if_there("ruby", "v1/worker.rb"),
    acks_with_the_result_and_nacks_with_the_error,
    holds_a_long_job_and_finishes_it_before_it_stops,
    goes_on_when_the_server_was_away,
    loses_its_lease_when_it_is_killed,
    drops_a_job_that_was_cancelled
);

worker!(
    the_worker_in_php_keeps_the_rules,
    script_if_there("php", "v1/worker.php"),
    acks_with_the_result_and_nacks_with_the_error,
    holds_a_long_job_and_finishes_it_before_it_stops,
    goes_on_when_the_server_was_away,
    loses_its_lease_when_it_is_killed,
    drops_a_job_that_was_cancelled
);
