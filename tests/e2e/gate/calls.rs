//! A request for each operation that there is.

use crate::support::{Answer, Client};
use presque::gate::Operation;

/// A request.
pub struct Call {
    pub method: &'static str,
    pub target: String,
    pub content_type: &'static str,
    pub body: String,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const RECEIPT: &str = "00000000002a19a3f0c2b7e9-1";
const ID: &str = "00000000002a19a3f0c2b7e9";

/// A request that asks for this, on this queue where one is concerned. Its name needs no escapes.
pub fn call(operation: Operation, queue: &str) -> Call {
    use Operation as O;
    let call = |method, target: String, content_type, body: String| Call {
        method,
        target,
        content_type,
        body,
    };
    let plain = |method, target: String| call(method, target, "", String::new());
    let json = |method, target: String, body: &str| call(method, target, JSON, body.to_owned());
    let v1 = |rest: &str| format!("/v1/queues/{queue}{rest}");
    let xml = |method: &str, values: &[&str]| {
        let params = values
            .iter()
            .map(|value| format!("<param><value><string>{value}</string></value></param>"));
        let params = params.collect::<String>();
        format!("<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>")
    };
    let command = |cmd: &str, more: &str| {
        json(
            "POST",
            "/queue".into(),
            &format!("{{\"cmd\":\"{cmd}\",\"queue\":\"{queue}\"{more}}}"),
        )
    };
    match operation {
        O::PresqueInsert => json("POST", format!("/q/{queue}"), "{}"),
        O::PresqueFetch => plain("GET", format!("/q/{queue}")),
        O::PresqueInsertFailed => json("PUT", format!("/q/{queue}"), "{}"),
        O::PresqueDelete => plain("DELETE", format!("/q/{queue}")),
        O::PresqueInsertBatch => json("POST", format!("/qb/{queue}"), "{\"jobs\":[\"1\"]}"),
        O::PresqueFetchBatch => plain("GET", format!("/qb/{queue}")),
        O::PresqueShowStatus => plain("GET", format!("/control/{queue}")),
        O::PresqueSetStatus => json("POST", format!("/control/{queue}"), "{\"status\":\"start\"}"),
        O::PresqueListQueues => plain("GET", "/status/".into()),
        O::PresqueShowQueue => plain("GET", format!("/status/{queue}")),
        O::PresqueCount => plain("GET", format!("/j/{queue}")),
        O::PresqueListWorkers => plain("GET", "/w/".into()),
        O::PresqueShowWorker => plain("GET", "/w/?worker_id=w".into()),
        O::PresqueShowQueueWorkers => plain("GET", format!("/w/?queue_name={queue}")),
        O::PresqueRegister => json("POST", format!("/w/{queue}"), "{\"worker_id\":\"w\"}"),
        O::PresqueUnregister => plain("DELETE", format!("/w/{queue}?worker_id=w")),

        O::RestmqPostAtRoot => call("POST", "/".into(), FORM, format!("queue={queue}&value=1")),
        O::RestmqTakeAtRoot => plain("GET", format!("/?queue={queue}")),
        O::RestmqPost => call("POST", format!("/q/{queue}"), FORM, "value=1".into()),
        O::RestmqTake => plain("GET", format!("/q/{queue}?callback=cb")),
        O::RestmqShowQueue => plain("GET", format!("/j/{queue}?callback=cb")),
        O::RestmqShowPolicy => plain("GET", format!("/p/{queue}")),
        O::RestmqSetPolicy => call("POST", format!("/p/{queue}"), FORM, "policy=roundrobin".into()),
        O::RestmqStats => plain("GET", "/stats/".into()),
        O::RestmqStatsOfQueue => plain("GET", format!("/stats/{queue}")),
        O::RestmqListStatus => plain("GET", "/control/?callback=cb".into()),
        O::RestmqShowStatus => plain("GET", format!("/control/{queue}?callback=cb")),
        O::RestmqSetStatus => call("POST", format!("/control/{queue}"), FORM, "status=start".into()),
        O::RestmqCommandAdd => command("add", ",\"value\":\"1\""),
        O::RestmqCommandGet => command("get", ""),
        O::RestmqCommandTake => command("take", ""),
        O::RestmqCommandDel => command("del", ",\"key\":\"x:1\""),
        O::RestmqCallSet => call("POST", "/xmlrpc".into(), "text/xml", xml("set", &[queue, "1"])),
        O::RestmqCallGet => call("POST", "/xmlrpc".into(), "text/xml", xml("get", &[queue])),
        O::RestmqSubscribe => plain("GET", format!("/c/{queue}")),
        // In restmq.toml alone.
        O::RestmqDelete => plain("DELETE", format!("/q/{queue}")),
        O::RestmqListQueues => plain("GET", "/q/".into()),

        O::Insert => json("POST", v1("/jobs"), "{\"payload\":1}"),
        O::ListJobs => plain("GET", v1("/jobs")),
        O::ShowJob => plain("GET", v1(&format!("/jobs/{ID}"))),
        O::CancelJob => plain("DELETE", v1(&format!("/jobs/{ID}"))),
        O::SearchJobs => json("POST", v1("/jobs/search"), "{}"),
        O::RedriveJobs => json("POST", v1("/jobs/redrive"), "{}"),
        O::PromoteJobs => json("POST", v1("/jobs/promote"), "{}"),
        O::CancelJobs => json("POST", v1("/jobs/cancel"), "{\"state\":\"ready\"}"),
        O::DeleteJobs => json("POST", v1("/jobs/delete"), "{\"state\":\"done\"}"),
        O::GroupDead => plain("GET", v1("/dead/groups")),
        O::Claim => json("POST", v1("/claims"), "{}"),
        O::ClaimOfMany => json("POST", "/v1/claims".into(), &format!("{{\"queues\":[\"{queue}\"]}}")),
        O::UseReceipt => json("POST", v1(&format!("/claims/{RECEIPT}/ack")), "{}"),
        O::UseReceipts => json(
            "POST",
            v1("/claims/nack"),
            &format!("{{\"nacks\":[{{\"receipt\":\"{RECEIPT}\"}}]}}"),
        ),
        O::ListQueues => plain("GET", "/v1/queues".into()),
        O::ShowQueue => plain("GET", v1("")),
        O::ConfigureQueue => json("PUT", v1(""), "{}"),
        O::DeleteQueue => plain("DELETE", v1("")),
        O::DeleteAllDead => plain("DELETE", v1("/dead")),
        O::DeleteDead => json("POST", v1("/dead/delete"), &format!("{{\"ids\":[\"{ID}\"]}}")),
        O::Redrive => json("POST", v1("/dead/redrive"), "{}"),
        O::ShowHistory => plain("GET", v1("/history")),
        O::ShowOverview => plain("GET", "/v1/overview".into()),
        O::ListWorkers => plain("GET", "/v1/workers".into()),
        O::ShowKey => plain("GET", "/v1/key".into()),
        O::ShowHealth => plain("GET", "/v1/health".into()),
        O::ShowMetrics => plain("GET", "/metrics".into()),
    }
}

/// Whether only `restmq.toml` has a route for this.
pub fn is_restmq_alone(operation: Operation) -> bool {
    matches!(operation, Operation::RestmqDelete | Operation::RestmqListQueues)
}

/// Whether a request for this names a queue.
pub fn names_queue(operation: Operation) -> bool {
    let Call { target, body, .. } = call(operation, "QUEUE");
    target.contains("QUEUE") || body.contains("QUEUE")
}

impl Call {
    /// Sends the request with further headers. Of a stream only the head is read.
    pub async fn send(&self, client: &Client, more: &[(&str, &str)]) -> Answer {
        let mut headers = more.to_vec();
        if !self.content_type.is_empty() {
            headers.push(("content-type", self.content_type));
        }
        if !self.target.starts_with("/c/") {
            return client
                .send(self.method, &self.target, &headers, self.body.clone())
                .await;
        }
        let body = http_body_util::BodyExt::boxed_unsync(http_body_util::Empty::new());
        let opened = client.open(self.method, &self.target, &headers, body).await.unwrap();
        if opened.status() != 200 {
            return Answer::read(opened).await;
        }
        Answer {
            status: opened.status(),
            headers: opened.headers().clone(),
            body: bytes::Bytes::new(),
        }
    }
}
