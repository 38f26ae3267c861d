// What each view looks like: on a desk and on a phone, in light and in dark. Pictures are in target/screenshots/.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { DESKTOP, go, installed, keepPicture, openDashboard, PHONE, press, shows } from './browser.mjs';
import { ack, bury, claim, insert, nack, setSettings } from './jobs.mjs';
import { startHost } from './servers.mjs';

const LONG = 'a-queue-with-a-long-name-that-goes-on-and-on-and-on-and-on-and-on';
const ARABIC = 'رسائل البريد';
const CHINESE = '电子邮件队列';

const axe = await readFile(installed.resolve('axe-core/axe.min.js'), 'utf8');

/** Some queues with jobs in each state. Gives the views to look at: `[name, place, text]`. */
async function fill(base) {
  const job = { payload: { to: 'ann@example.org', subject: 'Welcome', retries: 3, urgent: true, share: 1.5, none: null }, metadata: { source: 'signup' } };
  for (const queue of ['mail', 'news', LONG, ARABIC, CHINESE]) {
    for (let i = 0; i < 5; i += 1) await insert(base, queue, job);
    for (let i = 0; i < 3; i += 1) await bury(base, queue, `no route to smtp-${i}.example.com`, job);
    await bury(base, queue, 'Traceback (most recent call last):\n  File "send.py", line 7\nTimeoutError: timed out', job);
  }
  await setSettings(base, 'news', { paused: true });
  await setSettings(base, 'mail', { retain: 3600 });
  const [done, failed] = await claim(base, 'mail', { count: 3, worker: 'mailer-7' });
  await ack(base, 'mail', done);
  await nack(base, 'mail', failed, 'the server said 451', { delay: 3600 });
  const scheduled = await insert(base, 'mail', { ...job, delay: 7200, unique: { key: 'ann', while: 'unfinished' } });
  const dead = await bury(base, 'mail', 'no route to smtp-1.example.com', job);
  const mail = '/queues/mail';
  return [
    ['overview', '/', CHINESE],
    ['queue', mail, 'Show as a table'],
    ['queue-long-name', `/queues/${LONG}`, 'Show as a table'],
    ['queue-right-to-left', `/queues/${encodeURIComponent(ARABIC)}`, 'Show as a table'],
    ['scheduled', `${mail}?state=scheduled&payloads=1`, 'Welcome'],
    ['active', `${mail}?state=active`, 'mailer-7'],
    ['done', `${mail}?state=done`, 'Show payloads'],
    ['cancelled', `${mail}?state=cancelled`, 'No cancelled jobs'],
    ['dead', `${mail}?state=dead`, '5 dead jobs'],
    ['dead-group', `${mail}?state=dead&reason=rejected&search=nobody`, 'No job matches'],
    ['found', `${mail}?state=all&search=ann&payloads=1`, 'Looked at'],
    ['job-scheduled', `${mail}/jobs/${scheduled}`, 'Welcome'],
    ['job-dead', `${mail}/jobs/${dead}`, 'rejected by its worker'],
    ['settings', `${mail}/settings`, 'Save'],
    ['workers', '/workers', 'mailer-7'],
    ['new', '/new', 'Payload'],
    ['no-such-queue', '/queues/none', 'no such queue'],
  ];
}

const LOOKS = [
  ['light', DESKTOP, 'light'],
  ['dark', DESKTOP, 'dark'],
  ['phone', PHONE, 'light'],
  ['phone-dark', PHONE, 'dark'],
];

/** What a person with a screen reader, without colours or without a mouse could not use. */
async function assertUsable(page, what) {
  if (await page.evaluate(() => !window.axe)) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = grave.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`) }));
  assert.deepEqual(told, [], what);
}

async function assertFits(page, what) {
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(tooWide <= 0, `${what} is ${tooWide} pixels wider than its window`);
}

for (const [kind, options, colorScheme] of LOOKS) {
  test(`every view fits its window and is usable for everybody: ${kind}`, async (t) => {
    const { base } = await startHost(t);
    const views = await fill(base);
    const page = await openDashboard(t, base, '/', { ...options, colorScheme });
    const look = async (name) => {
      await keepPicture(page, `${name}-${kind}`);
      await assertFits(page, `${name} ${kind}`);
      await assertUsable(page, `${name} ${kind}`);
    };
    for (const [name, place, text] of views) {
      await go(page, place);
      await shows(page, text, 'Live');
      await look(name);
    }
    await go(page, '/queues/mail');
    await shows(page, 'Empty…');
    await press(page, 'Empty…');
    await look('empty');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await look('help');
  });
}
