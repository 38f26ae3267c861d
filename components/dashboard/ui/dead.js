// What dead jobs died of.

import { getDeadGroups } from './api.js';

const REASONS = {
  failed: 'failed too often',
  'lost-leases': 'lost its lease too often',
  expired: 'expired',
  rejected: 'rejected by its worker',
};

export const ENDED = ['done', 'dead', 'cancelled'];

export function reasonText(reason) {
  return REASONS[reason] ?? reason;
}

export function lastError({ errors }) {
  return errors?.at(-1)?.error ?? '';
}

/** Groups all dead jobs, the largest group first. The server takes them slice by slice; `onSlice(groups, lookedAt, left)` sees each. */
export async function loadGroups(queue, signal, onSlice) {
  const groups = new Map();
  let lookedAt = 0;
  let cursor;
  do {
    const slice = await getDeadGroups(queue, cursor, signal);
    for (const one of slice.groups) add(groups, one);
    lookedAt += slice.looked_at;
    cursor = slice.next;
    onSlice([...groups.values()].sort((a, b) => b.jobs - a.jobs), lookedAt, cursor ? slice.left : 0);
  } while (cursor);
}

/** Slices come newest first. */
function add(groups, one) {
  const key = JSON.stringify([one.reason, one.group]);
  const known = groups.get(key);
  if (!known) groups.set(key, { ...one, key });
  else Object.assign(known, { jobs: known.jobs + one.jobs, oldest_ended_at: one.oldest_ended_at });
}
