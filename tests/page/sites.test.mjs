// What a page of another site can do in a real browser: nothing, unless its site is allowed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPage } from './browser.mjs';
import { call } from './jobs.mjs';
import { scriptsRun, startHost, startRedis } from './servers.mjs';
import { eventually } from './wait.mjs';

/** One request of each kind that there is to the queue `mine`: `[{method, target, body}]`. `e2e::browser` has the list, and gives it. */
const CALLS = JSON.parse(process.env.PRESQUE_CALLS ?? '[]');
const skip = CALLS.length === 0 && 'only `cargo test … e2e::browser` knows all requests, and gives them in PRESQUE_CALLS';

/**
 * Sends everything that a page can send without being asked for permission first, in all ways there are, and waits until the
 * browser says of each that it is over. Gives how many that were.
 */
async function attack({ base, calls }) {
  const over = (start) => new Promise(start);
  const element = (name, set) => over((done) => {
    const made = document.createElement(name);
    made.onload = made.onerror = done;
    set(made);
    document.body.append(made);
  });
  const form = (url, method, fields) => over((done) => {
    const frame = document.createElement('iframe');
    frame.name = `frame${Math.random()}`;
    const made = Object.assign(document.createElement('form'), { action: url, method, target: frame.name });
    for (const [name, value] of fields) made.append(Object.assign(document.createElement('input'), { name, value }));
    document.body.append(frame, made);
    frame.onload = done;
    made.submit();
  });
  const sent = [];
  for (const { method, target, body } of calls) {
    const url = base + target;
    if (method === 'GET') {
      for (const name of ['img', 'script', 'iframe']) sent.push(element(name, (made) => { made.src = url; }));
      sent.push(element('link', (made) => Object.assign(made, { rel: 'stylesheet', href: url })));
    }
    if (method === 'GET' || method === 'POST') {
      for (const mode of ['no-cors', 'cors']) {
        const request = { method, mode, body: method === 'GET' ? undefined : body, credentials: 'include' };
        sent.push(fetch(url, request).catch(() => {}));
      }
    }
    if (method === 'POST') {
      const fields = [...new URLSearchParams(body)];
      sent.push(form(url, 'POST', fields.length ? fields : [[body, '']]));
      navigator.sendBeacon(url, body);
    }
  }
  sent.push(over((done) => {
    const source = new EventSource(`${base}/c/mine`);
    source.onerror = () => { source.close(); done(); };
  }));
  return (await Promise.all(sent)).length;
}

/** A page of a host that is another site to all others. */
async function pageOfOtherSite(t) {
  const { base } = await startHost(t);
  const page = await newPage(t);
  await page.goto(`${base}/status/`);
  return { page, base };
}

test('a page of another site takes nothing and changes nothing on any route', { skip }, async (t) => {
  const redis = await startRedis(t);
  const { base, log } = await startHost(t, { redis });
  await call(base, 'POST', '/q/mine', '1');
  const before = await scriptsRun(redis);
  const { page: ofOtherSite } = await pageOfOtherSite(t);
  const ofNoSite = await newPage(t);
  await ofNoSite.goto('data:text/html,<body>');
  for (const page of [ofOtherSite, ofNoSite]) {
    const sent = await page.evaluate(attack, { base, calls: CALLS });
    assert.ok(sent > 150, `${sent} were sent`);
  }
  // A beacon gives no event.
  await eventually('the requests came', () => log.filter((line) => line.includes('status=403')).length > 200);
  // The job that was inserted, and what a browser asks before it sends what is not simple.
  const isKnown = (line) => /status=(403|201)/.test(line) || (line.includes('method=OPTIONS') && line.includes('status=204'));
  assert.deepEqual(log.filter((line) => line.includes('INFO request ') && !isKnown(line)), []);
  assert.equal(await scriptsRun(redis), before);
  assert.equal(await (await fetch(`${base}/q/mine`)).text(), '1');
});

test('a page of an allowed site can do everything', async (t) => {
  const { page, base: allowed } = await pageOfOtherSite(t);
  const { base } = await startHost(t, { args: ['--variable', `allowed_origins=${allowed}`] });
  // Asked for permission first.
  const inserted = await page.evaluate(async (to) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'a' };
    const answer = await fetch(`${to}/v1/queues/mail/jobs`, { method: 'POST', body: '{"payload":1}', headers });
    return [answer.status, answer.headers.get('location')];
  }, base);
  assert.equal(inserted[0], 201);
  assert.match(inserted[1], /^\/v1\/queues\/mail\/jobs\//);
  const tag = await page.evaluate(async (to) => (await fetch(`${to}/v1/queues/mail`)).headers.get('etag'), base);
  assert.match(tag, /^"/);
  const put = (to) => fetch(`${to}/v1/queues/mail`, { method: 'PUT', body: '{"max_attempts":5}' }).then(({ status }) => status);
  assert.ok(Number.isInteger(await page.evaluate(put, base)));
  // A script and an image do not say their origin, and are known by their page's address.
  await fetch(`${base}/q/letters`, { method: 'POST', body: new URLSearchParams({ value: 'hello' }) });
  const called = await page.evaluate((to) => new Promise((done) => {
    window.cb = (message) => done(message.value);
    document.body.append(Object.assign(document.createElement('script'), { src: `${to}/q/letters?callback=cb` }));
  }), base);
  assert.equal(called, 'hello');
  const event = await page.evaluate((to) => new Promise((done) => {
    const source = new EventSource(`${to}/c/letters`);
    source.onopen = () => fetch(`${to}/q/letters`, { method: 'POST', body: new URLSearchParams({ value: 'now' }) });
    source.onmessage = ({ data }) => { source.close(); done(JSON.parse(data).value); };
  }), base);
  assert.equal(event, 'now');
});
