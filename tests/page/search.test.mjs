// Searching the jobs of a queue, and changing what was found.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { go, hides, keepPicture, openDashboard, placeOf, press, shows } from './browser.mjs';
import { ack, bury, claim, countsOf, getJob, insert, insertMany, setSettings } from './jobs.mjs';
import { startHost } from './servers.mjs';
import { eventually } from './wait.mjs';

/** Types what is searched for, as a user does. */
async function search(page, by, text) {
  await page.getByRole('combobox', { name: 'Search in' }).selectOption({ label: by });
  await page.getByRole('searchbox').fill(text);
  await page.getByRole('searchbox').press('Enter');
}

test('jobs are found by their payload, id, error, unique key and metadata, and the filter is in the address', async (t) => {
  const { base } = await startHost(t);
  const ann = await insert(base, 'mail', { payload: { to: 'Ann "é" <b>' }, metadata: { source: 'signup', n: 7 } });
  const bob = await insert(base, 'mail', { payload: { to: 'bob' }, unique: { key: 'bob', while: 'unfinished' }, delay: 3600 });
  const dead = await bury(base, 'mail', 'no route to smtp', { payload: 3 });
  assert.equal(dead, ann);
  const last = await insert(base, 'mail', { payload: 4 });
  const page = await openDashboard(t, base, '/queues/mail?state=all');
  const rows = page.locator('tbody tr');
  const finds = async (by, text, ids) => {
    await search(page, by, text);
    const titles = () => rows.locator('a.row-link').evaluateAll((links) => links.map((link) => link.title));
    await eventually(`${by} ${text} finds ${ids}`, async () => String((await titles()).sort()) === String([...ids].sort()));
    await page.reload();
    await eventually(`${by} ${text} still finds ${ids}`, async () => String((await titles()).sort()) === String([...ids].sort()));
  };
  await finds('Payload', 'ann "É', []);
  await finds('Payload', 'ann "é" <B>', [ann]);
  await finds('Id', `${bob} ${last}`, [bob, last]);
  await finds('Error', 'ROUTE', [dead]);
  await finds('Unique key', 'bob', [bob]);
  await finds('Metadata', 'source=signup', [ann]);
  await finds('Metadata', 'n=7', [ann]);
  await finds('Metadata', 'n="7"', []);
  assert.equal(placeOf(page), '/queues/mail?state=all&search=n="7"&by=metadata');
  await shows(page, 'No job matches');
  await press(page, 'Show all');
  await eventually('all jobs are there again', async () => await rows.count() === 4);
});

test('what cannot be searched for is said beside the field', async (t) => {
  const { base } = await startHost(t);
  await insert(base, 'mail');
  const page = await openDashboard(t, base, '/queues/mail');
  await shows(page, '1 ready job');
  await search(page, 'Id', 'nonsense');
  await shows(page, 'id is a string of 24 hexadecimal digits', 'Ready');
});

test('a search looks slice by slice until a page is full, says how far it looked, and can be stopped', async (t) => {
  const { base } = await startHost(t);
  await insertMany(base, 'mail', 30000);
  await insert(base, 'mail', { payload: 'the newest needle' });
  const page = await openDashboard(t, base, '/queues/mail');
  await shows(page, '30,001 ready jobs');
  // Held back, so that it can be stopped before it is over.
  let let_through;
  const held = new Promise((resolve) => { let_through = resolve; });
  let slices = 0;
  await page.route('**/jobs/search', async (route) => {
    slices += 1;
    if (slices === 3) await held;
    await route.continue();
  });
  await search(page, 'Payload', 'needle');
  await shows(page, 'Looked at 2,000 of 30,001', 'Stop');
  await keepPicture(page, 'searching');
  assert.equal(await page.locator('tbody tr').count(), 1);
  await page.getByRole('button', { name: 'Stop' }).click();
  let_through();
  await shows(page, 'Looked at 3,000 of 30,001 Stopped.');
  // It stays stopped, until it is sent again.
  await page.getByRole('searchbox').press('Enter');
  await shows(page, 'Looked at 30,001 of 30,001');
});

test('what was found is cancelled, run now and deleted, and nothing else', async (t) => {
  const { base } = await startHost(t);
  const wanted = { payload: { to: 'ann' } };
  for (let i = 0; i < 3; i += 1) {
    await insert(base, 'mail', wanted);
    await insert(base, 'mail', { payload: { to: 'bob' } });
    await insert(base, 'mail', { ...wanted, delay: 3600 });
    await insert(base, 'mail', { payload: { to: 'bob' }, delay: 3600 });
  }
  const page = await openDashboard(t, base, '/queues/mail?state=scheduled&search=ann');
  await shows(page, '3 scheduled jobs that match');
  await press(page, 'Run now 3');
  await press(page, 'Run now');
  await shows(page, '3 jobs ready now');
  await go(page, '/queues/mail?state=ready&search=ann');
  await shows(page, '6 ready jobs that match');
  await press(page, 'Cancel 6…');
  await press(page, 'Back');
  await hides(page, 'They are not handed out any more');
  assert.equal((await countsOf(base, 'mail')).ready, 9);
  await press(page, 'Cancel 6…');
  await press(page, 'Cancel them');
  await shows(page, '6 jobs cancelled');
  await go(page, '/queues/mail?state=scheduled&search=bob');
  await shows(page, '3 scheduled jobs that match');
  await press(page, 'Delete 3…');
  await press(page, 'Delete');
  await shows(page, '3 jobs deleted');
  const { ready, scheduled, cancelled } = await countsOf(base, 'mail');
  assert.deepEqual({ ready, scheduled }, { ready: 3, scheduled: 0 });
  assert.equal(cancelled, 0, 'cancelled jobs are not kept, unless the settings say so');
});

test('a queue is emptied after its name was typed, in slices, and can be stopped', async (t) => {
  const { base } = await startHost(t);
  await insertMany(base, 'mail', 5000);
  await insert(base, 'mail', { payload: 1, delay: 3600 });
  const dead = await bury(base, 'mail', 'a');
  const page = await openDashboard(t, base, '/queues/mail');
  let let_through;
  const held = new Promise((resolve) => { let_through = resolve; });
  let slices = 0;
  await page.route('**/jobs/delete', async (route) => {
    slices += 1;
    if (slices === 3) await held;
    await route.continue();
  });
  const empty = async () => {
    await press(page, 'Empty…');
    await shows(page, 'Empty the queue?', '1 scheduled job');
    await page.keyboard.type('mail');
    await page.keyboard.press('Enter');
  };
  await empty();
  await shows(page, 'Delete: 2,000 of about 5,000 looked at, 2,000 deleted');
  await keepPicture(page, 'emptying');
  await page.getByRole('button', { name: 'Stop' }).click();
  let_through();
  await shows(page, '3,000 jobs deleted; stopped before the end.');
  await empty();
  await shows(page, '2,001 jobs deleted');
  const { ready, scheduled } = await countsOf(base, 'mail');
  assert.deepEqual({ ready, scheduled }, { ready: 0, scheduled: 0 });
  assert.equal((await getJob(base, 'mail', dead)).state, 'dead');
});

test('an address that names no way to search searches payloads, and what it lists is what is changed', async (t) => {
  const { base } = await startHost(t);
  await setSettings(base, 'mail', { retain: 3600 });
  await insert(base, 'mail', { payload: 1 });
  const [claimed] = await claim(base, 'mail');
  await ack(base, 'mail', claimed);
  for (const payload of ['is done', 'was done', 'other']) await bury(base, 'mail', 'a', { payload });
  const page = await openDashboard(t, base, '/queues/mail?state=dead');
  for (const by of ['__proto__', 'constructor', 'limit', 'state']) {
    await go(page, '/queues/mail?state=dead');
    await shows(page, '3 dead jobs in this queue');
    await go(page, `/queues/mail?state=dead&by=${by}&search=done`);
    await shows(page, '2 dead jobs that match');
    assert.equal(await page.getByRole('combobox', { name: 'Search in' }).inputValue(), 'text');
  }
  await press(page, 'Delete 2…');
  await press(page, 'Delete');
  await shows(page, '2 jobs deleted');
  const { dead, done } = await countsOf(base, 'mail');
  assert.deepEqual({ dead, done }, { dead: 1, done: 1 });
});

test('while many jobs are changed no second change of many begins, and the first can be stopped whatever else is told', async (t) => {
  const { base } = await startHost(t);
  await insertMany(base, 'mail', 5000);
  for (const payload of [1, 2]) await insert(base, 'mail', { payload, delay: 3600 });
  const page = await openDashboard(t, base, '/queues/mail');
  let let_through;
  const held = new Promise((resolve) => { let_through = resolve; });
  let slices = 0;
  await page.route('**/jobs/delete', async (route) => {
    slices += 1;
    if (slices === 2) await held;
    await route.continue();
  });
  await press(page, 'Empty…');
  await page.keyboard.type('mail');
  await page.keyboard.press('Enter');
  await shows(page, 'Delete: 1,000 of about 5,000 looked at, 1,000 deleted');
  // Buttons that were there, and those of a view that is opened meanwhile.
  await go(page, '/queues/mail?state=scheduled');
  await shows(page, '2 scheduled jobs in this queue');
  const isOff = (name) => page.getByRole('button', { name }).getAttribute('aria-disabled');
  for (const name of ['Empty…', 'Run now 2']) assert.equal(await isOff(name), 'true', name);
  await page.getByRole('button', { name: 'Run now 2' }).click({ force: true });
  assert.equal(await page.locator('dialog').count(), 0);
  // What went wrong is told until it is closed: more of it than there is room for.
  const told = page.getByText('Somebody else was faster.');
  await page.route('**/v1/queues/mail', (route) => (route.request().method() === 'PUT'
    ? route.fulfill({ status: 412, json: { detail: 'Somebody else was faster.' } }) : route.continue()));
  for (let times = 1; times <= 5; times += 1) {
    await press(page, 'Pause');
    await press(page, 'Pause');
    await eventually(`it is told ${times} times`, async () => await told.count() === Math.min(times, 4));
  }
  // Who leaves is asked first.
  const asked = page.waitForEvent('dialog');
  await page.close({ runBeforeUnload: true });
  const question = await asked;
  assert.equal(question.type(), 'beforeunload');
  await question.dismiss();
  await page.getByRole('button', { name: 'Stop' }).click();
  let_through();
  await shows(page, '2,000 jobs deleted; stopped before the end.');
  for (const name of ['Empty…', 'Run now 2']) assert.equal(await isOff(name), null, name);
});

test('after a change that failed half-way the page says how far it came, and looks again', async (t) => {
  const { base } = await startHost(t);
  await insert(base, 'mail', { payload: 'needle' });
  await insertMany(base, 'mail', 2500);
  await insert(base, 'mail', { payload: 'needle' });
  const page = await openDashboard(t, base, '/queues/mail?search=needle');
  // It has looked at so many that it does not do so again by itself.
  await shows(page, '2 ready jobs that match', 'Looked at 2,502 of 2,502');
  let slices = 0;
  await page.route('**/jobs/cancel', (route) => {
    slices += 1;
    return slices === 1 ? route.continue() : route.fulfill({ status: 503, json: { detail: 'Redis is away.' } });
  });
  await press(page, 'Cancel 2…');
  await press(page, 'Cancel them');
  await shows(page, 'Redis is away. Before that, 1 job was cancelled.', '1 ready job that matches');
});

test('a scheduled job is run now', async (t) => {
  const { base } = await startHost(t);
  const id = await insert(base, 'mail', { payload: 1, delay: 3600 });
  const page = await openDashboard(t, base, `/queues/mail/jobs/${id}`);
  await press(page, 'Run now');
  await shows(page, '1 job ready now');
  assert.equal((await getJob(base, 'mail', id)).state, 'ready');
});
