// The calls of a server that cases make beside the page.

import assert from 'node:assert/strict';

/** Sends JSON, a text or nothing, and gives what JSON comes back. */
export async function call(base, method, path, body, headers = {}) {
  const answer = await fetch(base + path, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

const at = (queue, rest = '') => `/v1/queues/${encodeURIComponent(queue)}${rest}`;

export const getQueue = (base, queue) => call(base, 'GET', at(queue));
export const getJob = (base, queue, id) => call(base, 'GET', at(queue, `/jobs/${id}`));
export const setSettings = (base, queue, settings) => call(base, 'PUT', at(queue), settings);

export const countsOf = async (base, queue) => (await getQueue(base, queue)).counts;

export async function isThere(base, queue) {
  return (await fetch(base + at(queue))).status === 200;
}

/** Inserts a job, and gives its id. */
export async function insert(base, queue, job = { payload: 1 }) {
  return (await call(base, 'POST', at(queue, '/jobs'), job)).id;
}

/** Inserts so many jobs, whose payloads are short numbers. */
export async function insertMany(base, queue, count, start = 0) {
  const size = 100000;
  for (let done = 0; done < count; done += size) {
    const jobs = Array.from({ length: Math.min(size, count - done) }, (_, i) => start + done + i);
    await call(base, 'POST', `/qb/${encodeURIComponent(queue)}`, { jobs });
  }
}

/** Claims jobs, and gives them. */
export async function claim(base, queue, options = {}) {
  const claimed = await call(base, 'POST', at(queue, '/claims'), { worker: 'w', ...options });
  return claimed ? claimed.jobs : [];
}

export function ack(base, queue, { receipt }, result) {
  return call(base, 'POST', at(queue, `/claims/${receipt}/ack`), { result });
}

export function nack(base, queue, { receipt }, error, options = {}) {
  return call(base, 'POST', at(queue, `/claims/${receipt}/nack`), { error, ...options });
}

/** Does something for each, some at a time. */
export async function each(all, work) {
  const rest = all[Symbol.iterator]();
  await Promise.all(Array.from({ length: 16 }, async () => {
    for (const one of rest) await work(one);
  }));
}

/** Has a worker fail all jobs that are ready, for good. `errorOf(payload)` is what it says. */
export async function buryAll(base, queue, errorOf) {
  for (;;) {
    const claimed = await claim(base, queue, { count: 100 });
    if (!claimed.length) return;
    await each(claimed, (job) => nack(base, queue, job, errorOf(job.payload), { dead: true }));
  }
}

/** Inserts a job, and has a worker fail the next one for good. Gives the id of that. */
export async function bury(base, queue, error, job) {
  await insert(base, queue, job);
  const [claimed] = await claim(base, queue);
  await nack(base, queue, claimed, error, { dead: true });
  return claimed.id;
}
