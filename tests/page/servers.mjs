// What a case runs against: a Redis, a host on it, and a proxy that can cut both off. Each ends with its case.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from './wait.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = process.env.PRESQUE_HOST ?? join(root, 'target/native/presque-host');

/** The environment without what says which Redis to use, and what the host's variables are. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name !== 'REDIS_URL' && !name.startsWith('SPIN_VARIABLE_')),
);

/** Starts a program, and resolves to what its output says first that the pattern matches; null if it ends without. */
async function start(t, command, args, { log = [], ready, cwd }) {
  const child = spawn(command, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  // To the end: a full pipe would stop the program.
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const found = new Promise((resolve) => {
    createInterface({ input: child.stdout })
      .on('line', (line) => {
        log.push(line);
        const match = ready.exec(line);
        if (match) resolve(match);
      })
      .on('close', () => resolve(null));
  });
  return { child, found: await found };
}

async function folder(t) {
  const path = await mkdtemp(join(tmpdir(), 'presque-page-'));
  t.after(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Gives its port. Somebody else may take a port that was free: then another one is tried. */
export async function startRedis(t) {
  const dir = await folder(t);
  for (let tries = 1; tries <= 5; tries += 1) {
    const port = await freePort();
    const either = 'exec "${PRESQUE_REDIS_SERVER:-$(command -v redis-server || command -v valkey-server)}" "$@"';
    const args = ['-c', either, 'sh', '--bind', '127.0.0.1', '--port', port, '--save', '', '--appendonly', 'yes', '--dir', dir];
    const { found } = await start(t, 'sh', args.map(String), { ready: /Ready to accept connections/ });
    if (found) return port;
  }
  throw new Error('no Redis starts');
}

/**
 * `{base, log}`: the address of a host that serves one of this project's manifests, and the lines that it has said. Without a
 * `redis`, the port of one, it gets one of its own.
 */
export async function startHost(t, { redis, manifest = 'spin.toml', args = [] } = {}) {
  const log = [];
  const all = [
    '--from', join(root, manifest), '--state-dir', join(root, 'target/test-state'), '--listen', '127.0.0.1:0',
    '--redis-url', `redis://127.0.0.1:${redis ?? await startRedis(t)}`, '--log-level', 'info', ...args,
  ];
  const { found } = await start(t, program, all, { log, ready: /^Serving (.*)$/, cwd: await folder(t) });
  if (!found) throw new Error(`the host does not serve: ${log.join('\n')}`);
  return { base: found[1], log };
}

/** Stands before a server on this port. `cut()` makes the server seem gone, and `mend()` brings it back. */
export async function startProxy(t, target) {
  const open = new Set();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) return client.destroy();
    const behind = connect(target, '127.0.0.1');
    for (const [one, other] of [[client, behind], [behind, client]]) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => {}).on('close', () => { open.delete(one); other.destroy(); });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = () => open.forEach((one) => one.destroy());
  t.after(() => { drop(); server.close(); });
  return {
    port: server.address().port,
    cut() { isCut = true; drop(); },
    mend() { isCut = false; },
  };
}

export const portOf = (base) => Number(new URL(base).port);

/** How often a Redis ran scripts since its start. */
export async function scriptsRun(port) {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let text = '';
  socket.on('data', (part) => { text += part; });
  socket.write('INFO commandstats\r\n');
  const size = () => Number(/^\$(\d+)\r\n/.exec(text)?.[1] ?? Infinity);
  await eventually('Redis answers', () => text.length >= size());
  socket.destroy();
  return [...text.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}
