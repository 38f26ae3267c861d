// What a browser makes of answers that were never made for it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPage } from './browser.mjs';
import { call } from './jobs.mjs';
import { startHost } from './servers.mjs';
import { eventually } from './wait.mjs';

test('an event source reads a queue, and goes on by itself where it was cut off', async (t) => {
  const { base } = await startHost(t, { manifest: 'restmq.toml' });
  const page = await newPage(t);
  // What the host answers in JSON: its pages have no rights in a browser.
  await page.goto(`${base}/stats/`);
  await page.evaluate(() => new Promise((opened) => {
    window.got = [];
    window.source = new EventSource('/c/letters');
    window.source.onmessage = ({ data, lastEventId }) => {
      const message = JSON.parse(data);
      window.got.push([lastEventId, message && message.value]);
    };
    window.source.onopen = opened;
  }));
  const post = (value) => fetch(`${base}/q/letters`, { method: 'POST', body: new URLSearchParams({ value }) });
  const got = (count) => eventually(`${count} events came`, async () => {
    const all = await page.evaluate(() => window.got);
    return all.length >= count && all;
  });
  await post('café\n</script>');
  await post('2');
  assert.deepEqual(await got(2), [['letters:1', 'café\n</script>'], ['letters:2', '2']]);
  // Its connection ends, and it comes back by itself: it says what it got last.
  await fetch(`${base}/q/letters`, { method: 'DELETE' });
  await post('3');
  const all = await got(4);
  assert.equal(all[2][1], null);
  assert.deepEqual(all[3], ['letters:3', '3']);
  assert.equal(await page.evaluate(() => { window.source.close(); return window.source.readyState; }), 2);
});

test('a browser shows what a route answers', async (t) => {
  const { base } = await startHost(t);
  await call(base, 'POST', '/q/letters', '1');
  const page = await newPage(t);
  await page.goto(`${base}/status/`);
  assert.deepEqual(JSON.parse(await page.locator('body').innerText()), { queues: ['letters'], size: 1 });
  const size = await page.evaluate(() => fetch('/status/letters').then((answer) => answer.json()));
  assert.deepEqual(size, { queue: 'letters', size: '1' });
});
