// What is wrong with a queue, from what the server tells of it. Pure.

import { count, duration, rate } from './format.js';

/** So many jobs a minute more coming in than going out are no chance. */
const GROWING_BY = 10;

/** Seconds for which a job may be held before it is looked at as what holds up the others. */
const STUCK_AFTER = 30;

const sum = (numbers) => numbers.reduce((total, n) => total + (n ?? 0), 0);

function isGrowing({ counts, rates }) {
  return counts.ready > 0 && rates.inserted > rates.claimed * 1.2 && (rates.inserted - rates.claimed) * 60 >= GROWING_BY;
}

/** Workers need not have names, so whether jobs are claimed counts as well: `claimed` by minute. */
function lacksWorker({ counts, rates, workers }, claimed = []) {
  return counts.ready > 0 && workers === 0 && rates.claimed === 0 && sum(claimed.slice(-60)) === 0;
}

/** Only what is wrong: `[{kind, text}]`. */
export function badges(queue, isPaused, claimed) {
  const found = [];
  if (isPaused) found.push({ kind: 'warn', text: 'paused' });
  else if (lacksWorker(queue, claimed)) found.push({ kind: 'bad', text: 'no worker' });
  else if (isGrowing(queue)) found.push({ kind: 'warn', text: 'growing' });
  if (queue.counts.dead > 0) found.push({ kind: 'bad', text: count(queue.counts.dead, 'dead', 'dead') });
  return found;
}

/** How loud an age is: nothing is wrong with seconds. */
export function ageLevel(seconds) {
  if (seconds === null) return 'none';
  if (seconds < 60) return 'calm';
  return seconds < 600 ? 'warm' : 'hot';
}

/**
 * One line on why a queue is as it is: `{kind, text}`. `history` may be missing, and so may `active`: some of its active jobs,
 * with the seconds for which each is held, `heldFor`.
 */
export function diagnose(queue, history, active = []) {
  const { counts, rates, settings } = queue;
  const lately = (name) => sum(history?.[name]?.slice(-10) ?? []);
  const waiting = count(counts.ready, 'ready job');

  if (settings.paused) {
    return say('warn', counts.ready
      ? `Paused: no jobs are handed out. ${waiting} wait${counts.ready === 1 ? 's' : ''}.`
      : 'Paused: jobs are taken in, and none is handed out.');
  }
  const back = lately('released');
  if (!counts.ready && !counts.active) return idle(counts, back);
  if (lacksWorker(queue, history?.claimed) && !counts.active) return noWorker(queue, waiting);
  const failed = lately('failed');
  if (failed + back > 0 && lately('done') === 0 && rates.done === 0) {
    return say(failed ? 'bad' : 'warn', `No job was done in the last ten minutes: ${failed ? `${count(failed, 'attempt')} failed` : backText(back)}.`);
  }
  return held(queue, active, lately('lost_leases')) ?? flow(queue, waiting);
}

const say = (kind, text) => ({ kind, text });

const backText = (back) => `${count(back, 'attempt')} given back without a failure`;

function idle({ scheduled, dead }, released) {
  const later = scheduled ? ` ${count(scheduled, 'job')} scheduled for later.` : '';
  const over = dead ? ` ${count(dead, 'dead job')} kept.` : '';
  const back = scheduled && released ? ` ${backText(released)} in the last ten minutes.` : '';
  return say(back ? 'warn' : 'idle', `Nothing waits and nothing runs.${later}${over}${back}`);
}

function noWorker(queue, waiting) {
  const seen = queue.totals.claimed === 0 ? 'has ever claimed a job here' : 'was seen in the last hour';
  return say('bad', `No worker ${seen}: ${waiting} and nobody to take ${queue.counts.ready === 1 ? 'it' : 'them'}.`);
}

function held({ counts, rates, settings }, active, lostLeases) {
  if (lostLeases > 0) {
    return say('warn', `${count(lostLeases, 'lease')} lost in the last ten minutes: workers crash, or need longer than their `
      + `lease (${duration(settings.lease)} unless they ask for another).`);
  }
  const oldest = active.reduce((longest, job) => (longest?.heldFor >= job.heldFor ? longest : job), null);
  const isStuck = counts.ready > 0 && rates.claimed === 0 && oldest?.heldFor > STUCK_AFTER;
  if (!isStuck) return null;
  const holders = new Set(active.map(({ worker }) => worker));
  const who = oldest.worker ? `the worker ${oldest.worker}` : 'a worker without a name';
  return say('warn', holders.size === 1 && active.length === counts.active
    ? `One slow worker: ${who} holds ${counts.active === 1 ? 'the only active job' : `all ${count(counts.active, 'active job')}`}, `
      + `the longest for ${duration(oldest.heldFor)}, while ${count(counts.ready, 'job')} wait.`
    : `All workers are busy: ${count(counts.active, 'active job')}, the longest for ${duration(oldest.heldFor)}; nothing was `
      + 'claimed in the last minute.');
}

function flow(queue, waiting) {
  const { counts, rates, oldest_ready_age: age } = queue;
  if (isGrowing(queue)) {
    return say('warn', `More jobs come (${rate(rates.inserted)} a second) than go (${rate(rates.claimed)}): `
      + `the queue grows by about ${count(Math.round((rates.inserted - rates.claimed) * 60), 'job')} a minute.`);
  }
  const drain = rates.claimed - rates.inserted;
  if (age > 60 && drain > 0) {
    return say('ok', `Working it off: ${waiting}, at this pace gone in about ${duration(counts.ready / drain)}.`);
  }
  if (age > 60) {
    return say('warn', `Slow: the oldest ready job has waited for ${duration(age)}. ${count(queue.workers, 'worker')} with a name in the `
      + `last hour, ${rate(rates.claimed)} jobs claimed a second.`);
  }
  if (!counts.ready) return say('ok', `All is well: ${count(counts.active, 'job')} being worked on, and none waits.`);
  return say('ok', `All is well: jobs wait for ${duration(age ?? 0)} at most.`);
}
