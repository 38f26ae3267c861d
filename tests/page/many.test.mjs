// Very many queues, and very many jobs: the page stays what it is with few.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { go, keepPicture, openDashboard, PHONE, press, shows } from './browser.mjs';
import { call, countsOf, each, insert, insertMany } from './jobs.mjs';
import { startHost } from './servers.mjs';
import { eventually } from './wait.mjs';

/**
 * A page has one request under way. Of one that it has given up, as when the filter has changed, the browser may tell the end only
 * after the beginning of the next one. Requests that pile up are soon more.
 */
const AT_ONCE = 2;

/** Watches the requests to `/v1` from now on: how many there were, how many at once at most, how long the longest took. */
function watch(page) {
  const seen = { count: 0, atOnce: 0, longest: 0, target: '' };
  const open = new Map();
  const end = (request) => {
    if (!open.has(request)) return;
    const took = performance.now() - open.get(request);
    if (took > seen.longest) Object.assign(seen, { longest: took, target: new URL(request.url()).pathname });
    open.delete(request);
  };
  page.on('request', (request) => {
    if (!request.url().includes('/v1/')) return;
    open.set(request, performance.now());
    seen.count += 1;
    seen.atOnce = Math.max(seen.atOnce, open.size);
  });
  page.on('requestfinished', end).on('requestfailed', end);
  return seen;
}

function tell(t, what, { count, longest, target }) {
  t.diagnostic(`${what}: ${count} requests, the longest ${longest.toFixed(0)} ms (${target})`);
}

test('ten thousand queues are listed, sorted and searched a page at a time', async (t) => {
  const { base } = await startHost(t);
  const names = Array.from({ length: 10000 }, (_, i) => `queue-${String(i).padStart(4, '0')}`);
  await each(names, (name) => insert(base, name));
  await insertMany(base, 'queue-7777', 5);
  const page = await openDashboard(t, base);
  const seen = watch(page);
  await shows(page, '10,000 queues', 'queue-0000', 'queue-0049');
  assert.equal(await page.locator('tbody tr').count(), 50);
  await press(page, 'Next');
  await shows(page, 'queue-0050');
  await go(page, '/?sort=ready');
  // An overview looks anew at some hundreds of the queues, and remembers how the others were.
  await eventually('the fullest is the first', async () => {
    await page.keyboard.press('r');
    return (await page.locator('tbody tr').first().innerText()).includes('queue-7777');
  });
  await page.keyboard.press('/');
  await page.keyboard.type('99');
  await shows(page, '280 of 10,000 queues match');
  await keepPicture(page, 'ten-thousand-queues');
  assert.ok(seen.atOnce <= AT_ONCE, `${seen.atOnce} requests at once`);
  tell(t, '10,000 queues', seen);
});

test('a hundred thousand jobs come in while the page is open, and its requests do not pile up', async (t) => {
  const { base } = await startHost(t);
  await insert(base, 'mail');
  const pages = [await openDashboard(t, base), await openDashboard(t, base, '/queues/mail')];
  for (const page of pages) await shows(page, 'Live', 'mail');
  const seen = pages.map(watch);
  const jobs = Array.from({ length: 1000 }, (_, i) => ({ payload: i }));
  for (let slices = 0; slices < 100; slices += 1) await call(base, 'POST', '/v1/queues/mail/jobs', { jobs });
  for (const page of pages) await shows(page, '100,001');
  for (const { atOnce } of seen) assert.ok(atOnce <= AT_ONCE, `${atOnce} requests at once`);
  tell(t, 'the list of queues', seen[0]);
  tell(t, 'the queue', seen[1]);
});

test('a million jobs are counted in a narrow column', async (t) => {
  const { base } = await startHost(t);
  await insertMany(base, 'mail', 1000000);
  assert.equal((await countsOf(base, 'mail')).ready, 1000000);
  for (const [kind, options] of [['desk', undefined], ['phone', PHONE]]) {
    const page = await openDashboard(t, base, '/', options);
    await shows(page, '1M');
    assert.equal(await page.locator('tbody td.num[title="1,000,000"]').innerText(), '1M');
    await keepPicture(page, `a-million-jobs-${kind}`);
    await go(page, '/queues/mail');
    await shows(page, '1,000,000 ready jobs');
    await keepPicture(page, `a-million-jobs-queue-${kind}`);
  }
});
