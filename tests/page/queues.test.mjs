// The list of queues, and what is done with one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { go, keepPicture, openDashboard, press, shows } from './browser.mjs';
import { getQueue, insert, isThere } from './jobs.mjs';
import { startHost } from './servers.mjs';
import { eventually } from './wait.mjs';

/** A name that would run a script, were it taken for markup. */
const HOSTILE = '<img src=x onerror=ran=1>';

/** A number that no double can hold, and how a program may write a fraction. */
const EXACT = '{"id":9007199254740993,"share":1.50,"text":"</script><script>ran=1</script>"}';

test('the page shows queues and jobs, and what users wrote only as text', async (t) => {
  const { base } = await startHost(t);
  const id = await insert(base, HOSTILE, `{"payload":${EXACT},"metadata":{"note":${JSON.stringify(HOSTILE)}}}`);
  await insert(base, 'mail');
  const page = await openDashboard(t, base);
  await shows(page, 'Live', HOSTILE, 'mail', 'no worker');
  await keepPicture(page, 'hostile-names');
  const place = `/queues/${encodeURIComponent(HOSTILE)}`;
  await go(page, place);
  await shows(page, HOSTILE, 'Ready', 'Settings');
  await go(page, `${place}/jobs/${id}`);
  await shows(page, HOSTILE, '9007199254740993', '1.50', '</script><script>ran=1</script>');
});

test('a queue is paused, resumed, and deleted by typing its name', async (t) => {
  const { base } = await startHost(t);
  await insert(base, 'mail');
  const page = await openDashboard(t, base, '/queues/mail');
  await press(page, 'Pause');
  await shows(page, 'Pause the queue?');
  await press(page, 'Pause');
  await shows(page, 'paused', 'Resume');
  assert.equal((await getQueue(base, 'mail')).settings.paused, true);
  await press(page, 'Resume');
  await eventually('the queue is open', async () => !(await getQueue(base, 'mail')).settings.paused);

  await press(page, 'Delete');
  await shows(page, 'Delete the queue?');
  const accept = page.locator('dialog button[type=submit]');
  assert.equal(await accept.isDisabled(), true);
  await page.keyboard.type('mail');
  assert.equal(await accept.isDisabled(), false);
  await page.keyboard.press('Enter');
  await eventually('the queue is gone', async () => !(await isThere(base, 'mail')));
  // The first page, which has nothing to show now, says how to begin.
  await shows(page, 'curl', '/v1/queues/');
  await keepPicture(page, 'no-queues');
});

test('a queue, a job or a page that is not there is said to be so', async (t) => {
  const { base } = await startHost(t);
  await insert(base, 'mail');
  const page = await openDashboard(t, base, '/queues/none');
  await shows(page, 'There is no such queue');
  await go(page, '/queues/mail/jobs/0000000000091a1fc55701b4');
  await shows(page, 'There is no such job');
  await go(page, '/nowhere');
  await shows(page, 'There is no such page');
});
