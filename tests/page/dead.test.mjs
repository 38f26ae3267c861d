// Dead jobs: what they died of, and what is done with them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { go, hides, openDashboard, placeOf, press, shows } from './browser.mjs';
import { bury, buryAll, countsOf, getJob, insert, insertMany } from './jobs.mjs';
import { startHost } from './servers.mjs';
import { eventually } from './wait.mjs';

const HOSTILE = '<img src=x onerror=ran=1>';

test('dead jobs are grouped by error, and a group is redriven', async (t) => {
  const { base } = await startHost(t);
  for (const error of ['no route to smtp', undefined, 'no route to smtp', HOSTILE]) await bury(base, 'mail', error);
  const page = await openDashboard(t, base, '/queues/mail?state=dead');
  await shows(page, 'no route to smtp', HOSTILE, '4 dead jobs in this queue');
  await press(page, 'no error was told');
  await shows(page, '1 dead job that matches');
  await press(page, 'no route to smtp');
  await shows(page, '2 dead jobs that match');
  await press(page, 'Redrive 2');
  await press(page, 'Redrive');
  await shows(page, '2 jobs ready again');
  // The filter is still there, and so is the other group.
  await shows(page, 'No job matches', HOSTILE);
  assert.match(placeOf(page), /group=no\+route\+to\+smtp/);
  const { ready, dead } = await countsOf(base, 'mail');
  assert.deepEqual({ ready, dead }, { ready: 2, dead: 2 });
});

test('a group is named by its address, also when nothing is known of it', async (t) => {
  const { base } = await startHost(t);
  for (const error of ['no route to smtp', undefined]) await bury(base, 'mail', error);
  const page = await openDashboard(t, base);
  // A job's reason is not known when what Redis keeps of it was damaged.
  await page.route('**/dead/groups', async (route) => {
    const answer = await route.fetch();
    const { groups, ...rest } = await answer.json();
    await route.fulfill({ json: { ...rest, groups: groups.map(({ reason, ...group }) => group) } });
  });
  await go(page, '/queues/mail?state=dead');
  await shows(page, 'no error was told', '2 dead jobs in this queue');
  assert.equal(await page.locator('tr[aria-current]').count(), 0);
  await press(page, 'no error was told');
  await shows(page, '1 dead job that matches');
  assert.match(placeOf(page), /state=dead&group=$/);
  assert.equal(await page.locator('tr[aria-current]').count(), 1);
});

test('all dead jobs are grouped, however many, and a group of thousands is deleted', async (t) => {
  const { base } = await startHost(t);
  await insertMany(base, 'mail', 2500);
  await buryAll(base, 'mail', (payload) => (payload % 5 ? `timeout after ${payload} ms` : 'no route to smtp'));
  const page = await openDashboard(t, base, '/queues/mail?state=dead');
  const row = page.getByRole('row').filter({ hasText: 'timeout after' }).filter({ hasText: '2,000' });
  await row.waitFor();
  await shows(page, '2,500 dead jobs in this queue');
  await row.getByRole('link').click();
  await shows(page, 'All dead jobs that match', 'Looked at');
  await press(page, 'Delete all…');
  await press(page, 'Delete');
  await shows(page, '2,000 jobs deleted');
  await hides(page, 'timeout after');
  assert.equal((await countsOf(base, 'mail')).dead, 500);
});

test('dead jobs that are ticked are redriven, and those whose unique key is held stay dead', async (t) => {
  const { base } = await startHost(t);
  const unique = { payload: 1, unique: { key: 'ann', while: 'unfinished' } };
  const held = await bury(base, 'mail', 'a', unique);
  const free = await bury(base, 'mail', 'b');
  await bury(base, 'mail', 'c');
  await insert(base, 'mail', unique);
  const page = await openDashboard(t, base, '/queues/mail?state=dead');
  await shows(page, '3 dead jobs in this queue');
  for (const id of [held, free]) await page.getByRole('row').filter({ has: page.locator(`a[title="${id}"]`) }).getByRole('checkbox').check();
  await shows(page, '2 dead jobs selected');
  await press(page, 'Redrive 2');
  await press(page, 'Redrive');
  await shows(page, '1 job ready again; 1 stay dead, since other jobs hold their unique keys', '2 dead jobs in this queue');
  assert.equal((await getJob(base, 'mail', held)).state, 'dead');
  assert.equal((await getJob(base, 'mail', free)).state, 'ready');
});

test('a dead job is redriven by its button, and by a key', async (t) => {
  const { base } = await startHost(t);
  const ids = [await bury(base, 'mail', 'a'), await bury(base, 'mail', 'b')];
  const page = await openDashboard(t, base, `/queues/mail/jobs/${ids[0]}`);
  await shows(page, 'Dead: rejected by its worker');
  await press(page, 'Redrive');
  await eventually('the job is ready', async () => (await getJob(base, 'mail', ids[0])).state === 'ready');
  await page.goto(`${base}/#/queues/mail/jobs/${ids[1]}`);
  await shows(page, 'Dead: rejected by its worker', 'Job #2');
  await page.keyboard.press('r');
  await eventually('the job is ready', async () => (await getJob(base, 'mail', ids[1])).state === 'ready');
});
