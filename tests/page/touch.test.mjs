// What the page says while the server, or Redis behind it, is away.

import { test } from 'node:test';
import { hides, keepPicture, openDashboard, shows } from './browser.mjs';
import { insert } from './jobs.mjs';
import { portOf, startHost, startProxy, startRedis } from './servers.mjs';

test('the page says when it is out of touch with the server, and goes on by itself', async (t) => {
  const { base } = await startHost(t);
  await insert(base, 'mail');
  const proxy = await startProxy(t, portOf(base));
  const page = await openDashboard(t, `http://127.0.0.1:${proxy.port}`);
  await shows(page, 'Live', 'mail');
  proxy.cut();
  await shows(page, 'Out of touch', 'The server cannot be reached', 'mail');
  await insert(base, 'news');
  proxy.mend();
  await shows(page, 'Live', 'news');
  await hides(page, 'Out of touch');
});

test('the page says when Redis is down, keeps what it showed, and goes on by itself', async (t) => {
  const proxy = await startProxy(t, await startRedis(t));
  const { base } = await startHost(t, { redis: proxy.port });
  await insert(base, 'mail');
  const page = await openDashboard(t, base, '/queues/mail');
  await shows(page, 'Live', '1 ready job');
  proxy.cut();
  await shows(page, 'Out of touch', 'Redis', '1 ready job');
  await keepPicture(page, 'out-of-touch');
  proxy.mend();
  await shows(page, 'Live');
  await hides(page, 'Out of touch');
});
