#!/usr/bin/env node
// A worker for /v1 in JavaScript, for node 18 and later: worker.mjs URL QUEUE [LEASE].
// It prints each job. A job with the member "boom" fails; one with the member "sleep" takes so many seconds.
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const [url, queue, lease = 30] = process.argv.slice(2);
const key = process.env.PRESQUE_KEY;
const headers = { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) };
const claim = { worker: `js-${hostname()}-${process.pid}`, lease: Number(lease), wait: 5 };
let stopped = false;
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => (stopped = true));

// Gives the status and the text: 409 when the job is not ours any more, 503 when the server is away.
async function call(path, body) {
  const late = new AbortController();
  // Not AbortSignal.timeout(): that does not keep the program running while fetch waits for a server that hung up.
  const timer = setTimeout(() => late.abort(), 10_000);
  const request = {
    method: "POST",
    headers,
    body: JSON.stringify(body),
    signal: late.signal,
  };
  let status, text;
  try {
    const answer = await fetch(`${url}/v1/queues/${queue}/claims${path}`, request);
    [status, text] = [answer.status, await answer.text()];
  } catch {
    return [503, ""];
  } finally {
    clearTimeout(timer);
  }
  if (status === 408) return [503, ""];
  if (status >= 400 && status < 500 && status !== 409) throw new Error(text);
  return [status, text];
}

// Does the job and gives its result, or throws. It ends early when the job is lost.
async function work(payload, lost) {
  if (payload?.sleep) await sleep(payload.sleep * 1000, null, { signal: lost });
  if (payload?.boom) throw new Error(payload.boom);
  console.error(JSON.stringify(payload));
  return "printed";
}

while (!stopped) {
  const [status, text] = await call("", claim);
  if (status >= 500) await sleep(1000); // the server is away
  if (status !== 200) continue;
  const { receipt, payload } = JSON.parse(text).jobs[0];
  const lost = new AbortController();
  const extend = () => call(`/${receipt}/extend`, {}).then(([status]) => status === 409 && lost.abort());
  const extending = setInterval(extend, (claim.lease / 3) * 1000);
  const done = (result) => ["ack", { result }];
  const failed = (error) => ["nack", { error: String(error.message).slice(0, 1000) }];
  const [verb, body] = await work(payload, lost.signal).then(done, failed);
  clearInterval(extending);
  // A repeated ack or nack does no harm.
  while (!lost.signal.aborted && (await call(`/${receipt}/${verb}`, body))[0] >= 500) await sleep(1000);
}
