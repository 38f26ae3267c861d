// The dead jobs of a queue, and what can be done with them. They are grouped by error here, from those that were loaded: nothing
// else knows how, so that a route of the server can take its place.

import { deleteDead, listJobs, redriveDead } from './api.js';

const PAGE_SIZE = 200;

/** How many jobs are loaded at most. */
const MAX_LOADED = 1000;

/** How many jobs one call of the server takes. */
const SLICE = 1000;

const REASONS = {
  failed: 'failed too often',
  'lost-leases': 'lost its lease too often',
  expired: 'expired',
  rejected: 'rejected by its worker',
};

export function reasonText(reason) {
  return REASONS[reason] ?? reason;
}

export function lastError({ errors }) {
  return errors?.at(-1)?.error ?? '';
}

/** `{jobs, groups, isAll}`: the jobs newest first, the largest group first. */
export async function loadDead(queue, signal) {
  const jobs = [];
  let cursor;
  do {
    const page = await listJobs(queue, { state: 'dead', limit: PAGE_SIZE, cursor }, signal);
    jobs.push(...page.jobs.map(({ fields }) => fields));
    cursor = page.next;
  } while (cursor && jobs.length < MAX_LOADED);
  jobs.sort((a, b) => b.ended_at.localeCompare(a.ended_at) || b.id.localeCompare(a.id));
  return { jobs, groups: groupByError(jobs), isAll: !cursor };
}

/** `{id, error, reason, jobs}` for each kind of error. */
function groupByError(jobs) {
  const groups = new Map();
  for (const job of jobs) {
    const key = `${job.reason} ${kindOfError(lastError(job))}`;
    if (!groups.has(key)) groups.set(key, { id: hash(key), error: lastError(job), reason: job.reason, jobs: [] });
    groups.get(key).jobs.push(job);
  }
  return [...groups.values()].sort((a, b) => b.jobs.length - a.jobs.length);
}

/** The first line without what differs from job to job: identifiers, numbers, and what stands in quotes. */
function kindOfError(text) {
  return text.slice(0, 500).split('\n', 1)[0]
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{16,}\b/gi, '#')
    .replace(/"[^"]*"|'[^']*'/g, '""')
    .replace(/\d+/g, '#');
}

/** A short name for a group, to stand in an address (FNV-1a). */
function hash(text) {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value >>> 0).toString(36);
}

/** Makes jobs ready again: those with the ids, or as many of the oldest. Gives `{redriven, conflicts, unknown}`. */
export function redrive(queue, chosen) {
  return inSlices(chosen, 'redriven', (selection) => redriveDead(queue, selection));
}

/** Forgets them. Gives `{removed, unknown}`. */
export function remove(queue, chosen) {
  return inSlices(chosen, 'removed', (selection) => deleteDead(queue, selection));
}

/** `chosen` is `{ids}` or `{limit}`. Ends early when a call changes nothing: what is left then is in conflict. */
async function inSlices({ ids, limit = ids.length }, counted, call) {
  const total = { [counted]: 0, conflicts: 0, unknown: 0 };
  for (let at = 0; at < limit; at += SLICE) {
    const result = await call(ids ? { ids: ids.slice(at, at + SLICE) } : { limit: Math.min(SLICE, limit - at) });
    for (const name of Object.keys(total)) total[name] += result[name] ?? 0;
    if (!ids && (result[counted] === 0 || result.dead === 0)) break;
  }
  return total;
}
