// The calls of `/v1` that the page makes. Nothing else speaks to the server.

import { learnClock } from './format.js';
import { items, members } from './json.js';
import { currentKey } from './key.js';

/** After so many milliseconds a request is given up. */
const PATIENCE = 20000;

/** What the server said is wrong (RFC 9457). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? `The server responded with the status ${status}.`);
    this.status = status;
    this.type = (body.type ?? '').replace('urn:presque:problem:', '');
    this.title = body.title;
    this.pointer = body.pointer;
  }
}

export class Unreachable extends Error {}

/** The absolute address of a route. Each segment is encoded; the path's prefix is the page's. */
export function address(segments, query = {}) {
  const url = new URL('v1/' + segments.map(encodeURIComponent).join('/'), document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if ((value ?? '') !== '') url.searchParams.set(name, value);
  }
  return url.href;
}

/** Throws a `Problem`, `Unreachable`, or an abort. */
async function send(method, segments, { query, body, headers, signal } = {}) {
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  signal?.addEventListener('abort', onAbort);
  const timer = setTimeout(onAbort, PATIENCE);
  try {
    const response = await fetch(address(segments, query), {
      method,
      body,
      headers: { ...baseHeaders(body), ...headers },
      signal: stop.signal,
      cache: 'no-store',
    });
    learnClock(response.headers.get('Date'));
    const text = await response.text();
    if (!response.ok) throw new Problem(response.status, readProblem(text));
    return { headers: response.headers, text };
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    throw new Unreachable(stop.signal.aborted ? 'The server did not answer in time.' : 'The server cannot be reached.');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** `X-Requested-With`: the server shall not make the browser itself ask for a password. */
function baseHeaders(body) {
  const key = currentKey();
  return {
    'X-Requested-With': 'XMLHttpRequest',
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(key ? { Authorization: `Bearer ${key}` } : {}),
  };
}

function readProblem(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

async function sendJson(method, segments, options) {
  const { text } = await send(method, segments, options);
  return JSON.parse(text);
}

// Looking. Each takes the signal that ends it.

export function getKey(signal) {
  return sendJson('GET', ['key'], { signal });
}

export function getOverview(query, signal) {
  return sendJson('GET', ['overview'], { query, signal });
}

export async function getQueue(queue, signal) {
  const { text, headers } = await send('GET', ['queues', queue], { signal });
  return { ...JSON.parse(text), tag: tagOf(headers) };
}

/** A proxy that compresses marks the tag as weak, and a weak one never matches. */
function tagOf(headers) {
  return headers.get('ETag')?.replace(/^W\//, '');
}

export function getHistory(queue, signal) {
  return sendJson('GET', ['queues', queue, 'history'], { signal });
}

/** A page of jobs. Each has its `fields`, and `raw`, the texts of its members. */
export async function listJobs(queue, query, signal) {
  const { text } = await send('GET', ['queues', queue, 'jobs'], { query, signal });
  return readJobs(text, query.payload);
}

/** A slice of a search: the body has what is searched for. Beside the jobs it gives `looked_at`, `left`, `passed_over`, `next`. */
export async function searchJobs(queue, body, signal) {
  const { text } = await send('POST', ['queues', queue, 'jobs', 'search'], { body: JSON.stringify(body), signal });
  return readJobs(text, body.payload);
}

function readJobs(text, hasPayloads) {
  const page = JSON.parse(text);
  const raws = hasPayloads ? items(members(text).get('jobs')).map(members) : [];
  return { ...page, jobs: page.jobs.map((fields, i) => ({ fields, raw: raws[i] })) };
}

export function getDeadGroups(queue, cursor, signal) {
  return sendJson('GET', ['queues', queue, 'dead', 'groups'], { query: { cursor }, signal });
}

export async function getJob(queue, id, signal) {
  const { text } = await send('GET', ['queues', queue, 'jobs', id], { signal });
  return { fields: JSON.parse(text), raw: members(text), length: text.length };
}

export function getWorkers(signal) {
  return sendJson('GET', ['workers'], { signal });
}

export function getHealth(signal) {
  return sendJson('GET', ['health'], { signal });
}

// Acting.

/** The body is a text, so that a payload in it goes as it was written. */
export function insertJob(queue, body, idempotencyKey) {
  const headers = { 'Idempotency-Key': `"${idempotencyKey}"` };
  return sendJson('POST', ['queues', queue, 'jobs'], { body, headers });
}

export function deleteJob(queue, id) {
  return sendJson('DELETE', ['queues', queue, 'jobs', id]);
}

/** Sets all settings, if they are those of the tag. */
export async function putSettings(queue, settings, tag) {
  const headers = tag ? { 'If-Match': tag } : {};
  const { text, headers: got } = await send('PUT', ['queues', queue], { body: JSON.stringify(settings), headers });
  return { ...JSON.parse(text), tag: tagOf(got) };
}

/** Pauses a queue or resumes it. Nothing is changed if somebody sets something at the same time. */
export async function setPaused(queue, paused) {
  const { settings, tag } = await getQueue(queue);
  await putSettings(queue, { ...settings, paused }, tag);
}

export async function deleteQueue(queue) {
  await send('DELETE', ['queues', queue]);
}

/** Does `redrive`, `promote`, `cancel` or `delete` with a slice of the jobs that the body describes. */
export function changeJobs(queue, verb, body) {
  return sendJson('POST', ['queues', queue, 'jobs', verb], { body: JSON.stringify(body) });
}
