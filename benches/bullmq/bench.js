// BullMQ's side of the benchmark. Each line of standard input is a task, each line of standard output what became of it:
//
//     {"call": "open-queue", "queue": "bench", ...}
//     {"call": "add", "queue": "bench", "count": 1, "payload": 100, "connections": 16, "seconds": 0.5}
//     {"call": "close", ...}
//     {"call": "open-worker", "queue": "bench", "connections": 16, ...}
//     {"call": "process", "queue": "bench", ...}
//     {"call": "close", ...}
//
//     {"jobs": 1234, "requests": 1234, "micros": 500000, "latencies": [250, ...]}
//     {"error": "job 7 came out twice"}
//
// What is opened and closed is so in tasks of its own, which are not measured. "connections" is how many calls are under way
// at a time, or what a BullMQ worker calls its concurrency: the library sends them all through one connection.

const { Queue, Worker } = require('bullmq');
const readline = require('node:readline');

const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null };
// What opening and closing give.
const NOTHING = { jobs: 0, requests: 0, micros: 0, latencies: [] };
// The queue or the worker that is open.
let opened;
// The jobs of each queue: how many went in, and which came out.
const jobsOf = new Map();

function micros() {
  return Number(process.hrtime.bigint() / 1000n);
}

function paddingOf(seq, bytes) {
  return 'x'.repeat(bytes - JSON.stringify({ seq, pad: '' }).length);
}

async function openQueue({ queue: name }) {
  opened = new Queue(name, { connection, defaultJobOptions: { removeOnComplete: true } });
  await opened.waitUntilReady();
  return NOTHING;
}

// Adds jobs for so many seconds, `count` a call.
async function add({ queue: name, count, payload, connections, seconds }) {
  const jobs = { inserted: 0, payload, seen: new Set() };
  jobsOf.set(name, jobs);
  const queue = opened;
  const latencies = [];
  const start = micros();
  const end = start + seconds * 1e6;
  let last = start;
  const producer = async () => {
    while (micros() < end) {
      const batch = [];
      while (batch.length < count) {
        jobs.inserted += 1;
        const seq = jobs.inserted;
        batch.push({ name: 'job', data: { seq, pad: paddingOf(seq, payload) } });
      }
      const sent = micros();
      if (count === 1) {
        await queue.add(batch[0].name, batch[0].data);
      } else {
        await queue.addBulk(batch);
      }
      last = micros();
      latencies.push(last - sent);
    }
  };
  await Promise.all(Array.from({ length: connections }, producer));
  return { jobs: jobs.inserted, requests: latencies.length, micros: last - start, latencies };
}

// A worker that takes no jobs yet. It sees to it that each comes once and whole, and tells when the last is done.
async function openWorker({ queue: name, connections }) {
  const { inserted, payload, seen } = jobsOf.get(name);
  let completed = 0;
  const processor = async ({ data: { seq, pad } }) => {
    if (seen.has(seq) || !(seq >= 1 && seq <= inserted)) {
      throw new Error(`job ${seq} came out twice, or was never inserted`);
    }
    if (pad !== paddingOf(seq, payload)) {
      throw new Error(`the payload of job ${seq} is not the one that went in`);
    }
    seen.add(seq);
  };
  opened = new Worker(name, processor, { connection, concurrency: connections, autorun: false });
  opened.allDone = new Promise((resolve, reject) => {
    opened.on('completed', () => {
      completed += 1;
      if (completed === inserted) {
        resolve(micros());
      }
    });
    opened.on('failed', (_job, error) => reject(error));
    opened.on('error', reject);
  });
  // An error before anybody waits for the end is told to who then does.
  opened.allDone.catch(() => {});
  await opened.waitUntilReady();
  return NOTHING;
}

// Processes all jobs of a queue. One is done when BullMQ says so, which is when the next is claimed. There are no latencies:
// a worker's claims are its own.
async function work({ queue: name }) {
  const { inserted, seen } = jobsOf.get(name);
  const start = micros();
  const ended = opened.run().then(() => {
    throw new Error('the worker ended before all jobs were done');
  });
  const last = await Promise.race([opened.allDone, ended]);
  if (seen.size !== inserted) {
    throw new Error(`${inserted} jobs were inserted, and ${seen.size} came out`);
  }
  jobsOf.delete(name);
  // It ends when it is closed.
  ended.catch(() => {});
  return { jobs: inserted, requests: inserted, micros: last - start, latencies: [] };
}

async function close() {
  await opened.close();
  return NOTHING;
}

const CALLS = { 'open-queue': openQueue, add, 'open-worker': openWorker, process: work, close };

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const task = JSON.parse(line);
    let outcome;
    try {
      outcome = await CALLS[task.call](task);
    } catch (error) {
      outcome = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }
}

main();
