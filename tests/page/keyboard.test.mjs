// The page without a mouse.

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
  await page.keyboard.press('/');
  await page.keyboard.type('mai');
  await shows(page, '1 of 2 queues match');
  await isAt('/?search=mai');
});
