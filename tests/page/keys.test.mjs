// The page of a server that has a list of keys.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { keepPicture, openDashboard, press, shows } from './browser.mjs';
import { call } from './jobs.mjs';
import { startHost } from './servers.mjs';

/** The line of a key whose text is its name. */
function line(name, scopes) {
  return `${name} sha256:${createHash('sha256').update(name).digest('hex')} scopes=${scopes}`;
}

test('where there are keys the page asks for one, and offers only what it may do', async (t) => {
  const keys = [line('reader', 'read'), line('boss', 'insert,read,admin')].join(';');
  const { base } = await startHost(t, { args: ['--variable', `keys=${keys}`] });
  await call(base, 'POST', '/v1/queues/mail/jobs', { payload: 1 }, { Authorization: 'Bearer boss' });
  const page = await openDashboard(t, base, '/queues/mail');
  await shows(page, 'This server needs a key');
  await keepPicture(page, 'key-needed');
  for (const [key, isAllowed] of [['reader', false], ['boss', true]]) {
    await shows(page, 'This server needs a key');
    await page.keyboard.type(key);
    await page.keyboard.press('Enter');
    await shows(page, 'mail', 'Live', 'Oldest ready');
    for (const name of ['Pause', 'New job', 'Delete queue…']) {
      const seen = await page.locator('main').getByText(name, { exact: true }).isVisible();
      assert.equal(seen, isAllowed, `${key}: ${name}`);
    }
    await press(page, 'Forget key');
  }
  await shows(page, 'This server needs a key');
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage) + sessionStorage.length), '{}0');
});
