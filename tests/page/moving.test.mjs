// Why a queue does not move: four cases that a person must be able to tell apart from the page alone.

import { describe, test } from 'node:test';
import { keepPicture, openDashboard, shows } from './browser.mjs';
import { claim, insert, nack, setSettings } from './jobs.mjs';
import { startHost } from './servers.mjs';

/**
 * A job that is held for so many milliseconds, while nothing else is claimed, is what holds up the others. The rates are those of
 * the last minute by Redis' clock, which no case can move: so one waits for a whole minute without a claim.
 */
const UNTIL_STUCK = 150000;

async function queueWithJobs(t, count) {
  const { base } = await startHost(t);
  for (let i = 0; i < count; i += 1) await insert(base, 'mail');
  return base;
}

// One of them waits for minutes, and the others can run meanwhile.
describe('the page tells why a queue does not move', { concurrency: true }, () => {
  test('no worker', async (t) => {
    const base = await queueWithJobs(t, 3);
    const page = await openDashboard(t, base);
    await shows(page, 'no worker');
    await page.getByRole('link', { name: 'mail' }).click();
    await shows(page, 'No worker has ever claimed a job here: 3 ready jobs and nobody to take them.');
    await keepPicture(page, 'moving-no-worker');
  });

  test('stopped', async (t) => {
    const base = await queueWithJobs(t, 3);
    await setSettings(base, 'mail', { paused: true });
    const page = await openDashboard(t, base);
    await shows(page, 'paused');
    await page.getByRole('link', { name: 'mail' }).click();
    await shows(page, 'Paused: no jobs are handed out. 3 ready jobs wait.', 'Resume');
    await keepPicture(page, 'moving-stopped');
  });

  test('all failing', async (t) => {
    const base = await queueWithJobs(t, 3);
    for (const job of await claim(base, 'mail', { count: 3 })) await nack(base, 'mail', job, 'no route to smtp', { delay: 0 });
    const page = await openDashboard(t, base);
    await page.getByRole('link', { name: 'mail' }).click();
    await shows(page, 'No job was done in the last ten minutes: 3 attempts failed.');
    await keepPicture(page, 'moving-all-failing');
  });

  test('all given back', async (t) => {
    const base = await queueWithJobs(t, 3);
    for (const job of await claim(base, 'mail', { count: 3 })) await nack(base, 'mail', job, 'smtp is away', { failed: false, delay: 60 });
    const page = await openDashboard(t, base, '/queues/mail');
    await shows(page, '3 jobs scheduled for later. 3 attempts given back without a failure in the last ten minutes.');
  });

  test('one slow worker', async (t) => {
    const base = await queueWithJobs(t, 3);
    await claim(base, 'mail', { worker: 'mailer-7', lease: 600 });
    const page = await openDashboard(t, base, '/queues/mail');
    await shows(page, 'mail', 'Live');
    await shows(page, 'One slow worker: the worker mailer-7 holds the only active job', 'while 2 jobs wait', { patience: UNTIL_STUCK });
    await keepPicture(page, 'moving-one-slow-worker');
  });
});
