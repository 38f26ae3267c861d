// A queue's settings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDashboard, press, shows } from './browser.mjs';
import { getQueue, insert, setSettings } from './jobs.mjs';
import { startHost } from './servers.mjs';

test('settings are saved, and what is not allowed is told beside its field', async (t) => {
  const { base } = await startHost(t);
  await insert(base, 'mail');
  const page = await openDashboard(t, base, '/queues/mail/settings');
  await shows(page, 'Save', 'Live');
  await page.getByLabel('Max attempts').fill('many');
  await press(page, 'Save');
  await shows(page, 'This must be a number.');
  await page.getByLabel('Max attempts').fill('0');
  await press(page, 'Save');
  await shows(page, '1 to 1000');
  await page.getByLabel('Max attempts').fill('7');
  await page.getByLabel('Lease (seconds)').fill('90');
  await shows(page, '1 min 30 s');
  await press(page, 'Save');
  await shows(page, 'The settings were saved.');
  const { settings } = await getQueue(base, 'mail');
  assert.deepEqual([settings.max_attempts, settings.lease], [7, 90]);
});

test('settings that somebody else has changed meanwhile are not overwritten', async (t) => {
  const { base } = await startHost(t);
  await insert(base, 'mail');
  const page = await openDashboard(t, base, '/queues/mail/settings');
  await shows(page, 'Save', 'Live');
  await page.getByLabel('Max attempts').fill('7');
  await setSettings(base, 'mail', { lease: 90 });
  await press(page, 'Save');
  await shows(page, 'Not saved: somebody changed the settings meanwhile.');
  assert.equal(await page.getByLabel('Lease (seconds)').inputValue(), '90');
  assert.equal(await page.getByLabel('Max attempts').inputValue(), '7');
  await press(page, 'Save');
  await shows(page, 'The settings were saved.');
  const { settings } = await getQueue(base, 'mail');
  assert.deepEqual([settings.max_attempts, settings.lease], [7, 90]);
});

test('every setting has a field', async (t) => {
  const { base } = await startHost(t);
  await insert(base, 'mail');
  const page = await openDashboard(t, base, '/queues/mail/settings');
  await shows(page, 'Save', 'Live');
  const { settings } = await getQueue(base, 'mail');
  const { backoff, ...others } = settings;
  const count = Object.keys(backoff).length + Object.keys(others).length;
  assert.equal(await page.locator('form.card :is(input, select)').count(), count);
  await page.getByLabel('Partitions').fill('3');
  await press(page, 'Save');
  await shows(page, 'The settings were saved.');
  assert.equal((await getQueue(base, 'mail')).settings.partitions, 3);
});
