// Dead jobs: what they died of, and what is done with them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDashboard, press, shows } from './browser.mjs';
import { bury, getQueue } from './jobs.mjs';
import { startHost } from './servers.mjs';

const HOSTILE = '<img src=x onerror=ran=1>';

test('dead jobs are grouped by error, and a group is redriven', async (t) => {
  const { base } = await startHost(t);
  for (const error of ['no route to smtp', 'no route to smtp', HOSTILE]) await bury(base, 'mail', error);
  const page = await openDashboard(t, base, '/queues/mail?state=dead');
  await shows(page, 'no route to smtp', HOSTILE, '3 dead jobs in this queue');
  await press(page, 'no route to smtp');
  await shows(page, '2 dead jobs with this error');
  await press(page, 'Redrive 2');
  await press(page, 'Redrive');
  await shows(page, '2 jobs ready again');
  const { ready, dead } = (await getQueue(base, 'mail')).counts;
  assert.deepEqual({ ready, dead }, { ready: 2, dead: 1 });
});
