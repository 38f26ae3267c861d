// One job: what is shown of it, and what is done with it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { DESKTOP, openDashboard, placeOf, press, shows } from './browser.mjs';
import { ack, call, claim, getJob, insert, nack, setSettings } from './jobs.mjs';
import { startHost } from './servers.mjs';
import { eventually } from './wait.mjs';

/** Numbers that no double can hold, and a text that a shell could run. */
const PAYLOAD = `{"id":9007199254740993,"share":1.50,"big":1e400,"text":"it's \`ls\` $HOME\\\\n"}`;

test('a job shows its attempts, errors, progress, result and metadata', async (t) => {
  const { base } = await startHost(t);
  await setSettings(base, 'mail', { retain: 3600 });
  const id = await insert(base, 'mail', { payload: 1, metadata: { source: 'signup' } });
  const page = await openDashboard(t, base, `/queues/mail/jobs/${id}`);
  await shows(page, 'Inserted', '"source": "signup"', 'ready');
  await nack(base, 'mail', (await claim(base, 'mail'))[0], 'no route\nto smtp', { delay: 0 });
  await shows(page, 'Attempt 1 failed', 'no route\nto smtp');
  await nack(base, 'mail', (await claim(base, 'mail'))[0], 'smtp is busy', { failed: false });
  await shows(page, 'Attempt 2 was given back', 'smtp is busy');
  const [claimed] = await claim(base, 'mail', { worker: 'mailer-7' });
  await call(base, 'POST', `/v1/queues/mail/claims/${claimed.receipt}/extend`, { progress: { percent: 40, step: 'half' } });
  await shows(page, 'Attempt 3 began', 'mailer-7', '"step": "half"', 'The lease ends');
  assert.equal(await page.getByRole('progressbar').getAttribute('value'), '40');
  await ack(base, 'mail', claimed, { sent: true });
  await shows(page, 'Done', '"sent": true', 'done', 'Kept until');
});

test('a payload is shown and copied with its numbers untouched, and the command inserts it again', async (t) => {
  const { base } = await startHost(t);
  const id = await insert(base, 'it’s mail', `{"payload":${PAYLOAD},"priority":7}`);
  const place = `/queues/${encodeURIComponent('it’s mail')}/jobs/${id}`;
  const page = await openDashboard(t, base, place, { ...DESKTOP, permissions: ['clipboard-read', 'clipboard-write'] });
  await shows(page, '9007199254740993', '1.50', '1e400');
  const copied = async (heading) => {
    const card = page.locator('section.card').filter({ has: page.getByRole('heading', { name: heading, exact: true }) });
    await card.getByRole('button', { name: 'Copy' }).click();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  assert.equal(await copied('Payload'), PAYLOAD);
  const again = JSON.parse(execFileSync('sh', ['-c', await copied('Insert it again')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  const job = await getJob(base, again.queue, again.id);
  // As a text, since strict readers of JSON refuse 1e400.
  assert.equal(job.payload_text, PAYLOAD);
  assert.equal(job.priority, 7);
});

test('a job is inserted again through the form, with its options', async (t) => {
  const { base } = await startHost(t);
  const id = await insert(base, 'mail', `{"payload":${PAYLOAD},"priority":7,"max_attempts":3,"metadata":{"source":"signup"}}`);
  const page = await openDashboard(t, base, `/queues/mail/jobs/${id}`);
  await press(page, 'Insert again…');
  await eventually('the form is filled', async () => await page.getByLabel('Payload').inputValue() === PAYLOAD);
  await page.getByLabel('Queue').fill('news');
  await press(page, 'Insert');
  await press(page, 'job #1');
  await shows(page, 'news', '9007199254740993', '"source": "signup"', '0 of 3');
});

test('a mistake in a new job is told beside its field, and what was typed stays', async (t) => {
  const { base } = await startHost(t);
  const page = await openDashboard(t, base, '/new?queue=mail');
  await page.getByLabel('Payload').fill('{"to": ann}');
  await press(page, 'Insert');
  await shows(page, 'Line 1, column 8: a value must stand here, not "a".');
  await page.getByLabel('Payload').fill('{"to": "ann"}');
  await page.getByText('More options').click();
  await page.getByLabel('Max attempts').fill('0');
  await press(page, 'Insert');
  await shows(page, 'max_attempts');
  assert.equal(await page.getByLabel('Payload').inputValue(), '{"to": "ann"}');
  await page.getByLabel('Max attempts').fill('1');
  await press(page, 'Insert');
  await shows(page, 'Inserted as job #1.');
});

test('a job is cancelled while it waits, and deleted once it has ended', async (t) => {
  const { base } = await startHost(t);
  await setSettings(base, 'mail', { retain: 3600 });
  const id = await insert(base, 'mail');
  const page = await openDashboard(t, base, `/queues/mail/jobs/${id}`);
  await press(page, 'Cancel job…');
  await press(page, 'Cancel the job');
  await shows(page, 'The job is cancelled.', 'Cancelled');
  assert.equal((await getJob(base, 'mail', id)).state, 'cancelled');
  const done = await insert(base, 'mail');
  await ack(base, 'mail', (await claim(base, 'mail'))[0]);
  await page.goto(`${base}/#/queues/mail/jobs/${done}`);
  await press(page, 'Delete job…');
  await press(page, 'Delete');
  await eventually('the page shows the queue', () => placeOf(page) === '/queues/mail?state=done');
  await shows(page, 'The job was deleted.');
});
