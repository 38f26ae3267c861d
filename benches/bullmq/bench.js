// BullMQ's side of the benchmark. Each line of standard input is a task, each line of standard output what became of it:
//
//     {"call": "add", "queue": "bench", "count": 1, "payload": 100, "connections": 16, "seconds": 0.5}
//     {"call": "process", "queue": "bench", "connections": 16}
//     {"jobs": 1234, "requests": 1234, "micros": 500000, "latencies": [250, ...]}
//     {"error": "job 7 came out twice"}
//
// "connections" is how many calls are under way at a time, or what a BullMQ worker calls its concurrency: the library sends
// them all through one connection.

const { Queue, Worker } = require('bullmq');
const readline = require('node:readline');

const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null };
// The jobs of each queue: how many went in, and which came out.
const jobsOf = new Map();

function micros() {
  return Number(process.hrtime.bigint() / 1000n);
}

function payloadOf(seq, bytes) {
  const rest = bytes - JSON.stringify({ seq, pad: '' }).length;
  return { seq, pad: 'x'.repeat(rest) };
}

// Adds jobs for so many seconds, `count` a call.
async function add({ queue: name, count, payload, connections, seconds }) {
  const jobs = { inserted: 0, payload, seen: new Set() };
  jobsOf.set(name, jobs);
  const queue = new Queue(name, { connection, defaultJobOptions: { removeOnComplete: true } });
  await queue.waitUntilReady();
  const latencies = [];
  const start = micros();
  const end = start + seconds * 1e6;
  let last = start;
  const producer = async () => {
    while (micros() < end) {
      const batch = [];
      while (batch.length < count) {
        jobs.inserted += 1;
        batch.push({ name: 'job', data: payloadOf(jobs.inserted, payload) });
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
  await queue.close();
  return { jobs: jobs.inserted, requests: latencies.length, micros: last - start, latencies };
}

// Processes all jobs of a queue. One is done when BullMQ says so, which is when the next is claimed. There are no latencies:
// a worker's claims are its own.
async function work({ queue: name, connections }) {
  const jobs = jobsOf.get(name);
  const { inserted, seen } = jobs;
  let completed = 0;
  let worker;
  let start;
  const last = await new Promise((resolve, reject) => {
    const processor = async (job) => {
      const { seq } = job.data;
      if (seen.has(seq) || !(seq >= 1 && seq <= inserted)) {
        reject(new Error(`job ${seq} came out twice, or was never inserted`));
      }
      if (JSON.stringify(job.data).length !== jobs.payload) {
        reject(new Error(`the payload of job ${seq} is cut`));
      }
      seen.add(seq);
    };
    worker = new Worker(name, processor, { connection, concurrency: connections, autorun: false });
    worker.on('completed', () => {
      completed += 1;
      if (completed === inserted) {
        resolve(micros());
      }
    });
    worker.on('failed', (_job, error) => reject(error));
    worker.on('error', reject);
    worker.waitUntilReady().then(() => {
      start = micros();
      worker.run().catch(reject);
    }, reject);
  });
  await worker.close();
  if (seen.size !== inserted || completed !== inserted) {
    throw new Error(`${inserted} jobs were inserted, and ${seen.size} came out`);
  }
  jobsOf.delete(name);
  return { jobs: completed, requests: completed, micros: last - start, latencies: [] };
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const task = JSON.parse(line);
    let outcome;
    try {
      outcome = task.call === 'add' ? await add(task) : await work(task);
    } catch (error) {
      outcome = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }
}

main();
