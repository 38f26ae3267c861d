// The page without a mouse.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDashboard, placeOf, shows } from './browser.mjs';
import { insert } from './jobs.mjs';
import { startHost } from './servers.mjs';
import { eventually } from './wait.mjs';

test('all can be reached by keys alone', async (t) => {
  const { base } = await startHost(t);
  for (const queue of ['mail', 'news']) await insert(base, queue);
  const page = await openDashboard(t, base);
  const isAt = (place) => eventually(`the page is at ${place}`, () => placeOf(page) === place);
  await shows(page, 'mail', 'news');
  await page.keyboard.press('?');
  await shows(page, 'Keyboard', 'Next row');
  await page.keyboard.press('Escape');
  await eventually('the help is closed', async () => await page.locator('dialog').count() === 0);
  for (const key of ['j', 'j', 'k', 'j', 'Enter']) await page.keyboard.press(key);
  await isAt('/queues/news');
  await shows(page, 'Oldest ready', 'Settings');
  await page.keyboard.press('Escape');
  await isAt('/');
  // The address changes before the view does: the next key would go to the view that is left.
  await shows(page, '2 queues');
  await page.keyboard.press('/');
  await page.keyboard.type('mai');
  await shows(page, '1 of 2 queues match');
  await isAt('/?search=mai');
});

/** Presses Tab until something of this name has the focus. */
async function tabTo(page, name) {
  await eventually(`Tab leads to ${name}`, async () => {
    await page.keyboard.press('Tab');
    return (await page.evaluate(() => document.activeElement.textContent)).startsWith(name);
  });
}

test('a queue is paused and a job is searched for, by keys alone', async (t) => {
  const { base } = await startHost(t);
  const id = await insert(base, 'mail', { payload: 'needle' });
  await insert(base, 'mail');
  const page = await openDashboard(t, base, '/queues/mail');
  await shows(page, 'Live', '2 ready jobs');
  await tabTo(page, 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await tabTo(page, 'Pause');
  await page.keyboard.press('Enter');
  await shows(page, 'Pause the queue?');
  await page.keyboard.press('Enter');
  await shows(page, 'The queue is paused.');
  // The focus comes back to the button, which now does the opposite.
  await eventually('Resume has the focus', () => page.evaluate(() => document.activeElement.textContent === 'Resume'));
  await page.keyboard.press('/');
  await page.keyboard.type('needle');
  await page.keyboard.press('Enter');
  await shows(page, '1 ready job that matches');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await eventually('the job is shown', () => placeOf(page) === `/queues/mail/jobs/${id}`);
});
