#!/usr/bin/env node
// A producer for /v1 in JavaScript, for node 18 and later: producer.mjs URL QUEUE NAME < JOBS, a line of JSON for each.
// It prints their ids. When it broke off, run it again with the same name and the same jobs: none is inserted twice.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const [url, queue, name] = process.argv.slice(2);
const key = process.env.PRESQUE_KEY;
const headers = { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) };

// Inserts up to 1000 jobs, each as text, all or none, and gives their ids.
async function insert(jobs, idempotencyKey) {
  const request = {
    method: "POST",
    headers: { ...headers, "Idempotency-Key": `"${idempotencyKey}"` },
    body: `{"jobs":[${jobs.join()}]}`,
  };
  for (let attempt = 0; attempt < 10; attempt++) {
    let status, text;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), 30_000);
    try {
      const answer = await fetch(`${url}/v1/queues/${queue}/jobs`, { ...request, signal: late.signal });
      [status, text] = [answer.status, await answer.text()];
    } catch {
      status = 503; // whether it was stored is not known: the key makes it safe to ask again
    } finally {
      clearTimeout(timer);
    }
    if (status < 300) return JSON.parse(text).jobs.map((job) => job.id);
    if (status < 500 && status !== 408) {
      const { type, detail } = JSON.parse(text);
      throw new Error(`${type}: ${detail}`);
    }
    await sleep(Math.min(100 * 2 ** attempt, 10_000));
  }
  throw new Error("the server is away");
}

let number = 0;
let jobs = [];
const send = async () => {
  if (jobs.length) console.log((await insert(jobs, `${name}-${++number}`)).join("\n"));
  jobs = [];
};
for await (const line of createInterface({ input: process.stdin })) {
  JSON.parse(line); // looks at it only, since it rounds long numbers: the line is sent as it is
  jobs.push(`{"payload":${line}}`);
  if (jobs.length === 1000) await send();
}
await send();
