// What happened to a job, in order: what the server still knows of it.

import { reasonText } from '../dead.js';
import { h, userText } from '../dom.js';
import { absolute, count, duration } from '../format.js';
import { time } from '../time.js';

/** `{at, kind, title, text}`, the first first. What is still to come is `next`. */
function eventsOf(job) {
  const events = [{ at: job.inserted_at, kind: 'start', title: 'Inserted' }];
  for (const { at, attempt, error } of job.errors ?? []) {
    events.push({ at, kind: 'bad', title: `Attempt ${attempt} failed`, text: error ?? 'without an error' });
  }
  if (job.released) {
    const { at, attempt, error } = job.released;
    events.push({ at, kind: 'off', title: `Attempt ${attempt} was given back`, text: error });
  }
  if (job.claimed_at) {
    events.push({ at: job.claimed_at, kind: 'run', title: `Attempt ${job.attempt} began`, text: job.worker });
  }
  if (job.ended_at) events.push(endOf(job));
  if (job.run_at) events.push({ at: job.run_at, kind: 'next', title: job.attempt ? `Attempt ${job.attempt + 1} is due` : 'Due' });
  if (job.lease_ends_at) events.push({ at: job.lease_ends_at, kind: 'next', title: 'The lease ends' });
  return events.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function endOf({ ended_at: at, state, reason }) {
  if (state === 'done') return { at, kind: 'good', title: 'Done' };
  return state === 'dead' ? { at, kind: 'bad', title: `Dead: ${reasonText(reason)}` } : { at, kind: 'off', title: 'Cancelled' };
}

export function timeline(job) {
  const events = eventsOf(job);
  const missing = job.failures - (job.errors?.length ?? 0);
  const items = events.map((event, i) => {
    const gap = i > 0 ? (Date.parse(event.at) - Date.parse(events[i - 1].at)) / 1000 : 0;
    return h(`li.event.${event.kind}`, null,
      h('div.event-head', null, h('b', null, event.title), time(event.at)),
      h('div.event-at', null, absolute(event.at), gap >= 0.1 && ` · ${duration(gap)} later`),
      event.text && userText('pre.event-text', event.text, { title: null }));
  });
  return [
    h('ol.timeline', null, items),
    missing > 0 && h('p.help', null, `${count(missing, 'earlier error')} not kept.`),
  ].filter(Boolean);
}
