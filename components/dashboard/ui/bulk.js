// Changing many jobs: slice by slice, with a line that says how far it is, and that can be stopped.

import { changeJobs } from './api.js';
import { confirm } from './dialog.js';
import { count, number } from './format.js';
import { task } from './toast.js';

/** `states` are those whose jobs can be changed so. */
export const VERBS = {
  redrive: {
    label: 'Redrive', done: 'redriven', states: ['dead'], says: 'ready again',
    text: 'They become ready again, as if they had never failed.',
  },
  promote: {
    label: 'Run now', asks: 'Make ready', done: 'promoted', states: ['scheduled'], says: 'ready now', text: 'They become ready at once.',
  },
  cancel: {
    label: 'Cancel', yes: 'Cancel them', done: 'cancelled', states: ['ready', 'scheduled', 'active'], says: 'cancelled', isDanger: true,
    text: 'They are not handed out any more. A worker that has one is told so when it next reports.',
  },
  delete: {
    label: 'Delete', done: 'deleted', states: ['ready', 'scheduled', 'done', 'dead', 'cancelled'], says: 'deleted', isDanger: true,
    text: 'They are forgotten. This cannot be undone.',
  },
};

/** `what` names the jobs, as in `3 dead jobs`. Gives the message of success; null if the answer is no. */
export async function askAndChange(queue, verb, filter, what) {
  const { label, asks = label, text, yes = label, isDanger } = VERBS[verb];
  const isSure = await confirm({ title: `${asks} ${what}?`, text, yes, isDanger });
  return isSure ? messageOf(verb, await changeAll(queue, verb, [filter])) : null;
}

/** Changes all jobs that one of the filters describes. Gives `{changed, conflicts, unknown, isStopped}`. */
export async function changeAll(queue, verb, filters) {
  const { label, done } = VERBS[verb];
  const total = { changed: 0, conflicts: 0, unknown: 0 };
  const running = task(label);
  let lookedAt = 0;
  try {
    for (const filter of filters) {
      let cursor;
      do {
        const slice = await changeJobs(queue, verb, { ...filter, cursor });
        total.changed += slice[done];
        total.conflicts += slice.conflicts ?? 0;
        total.unknown += slice.unknown ?? 0;
        lookedAt += slice.looked_at;
        cursor = slice.next;
        if (cursor) running.tell(`${number(lookedAt)} of about ${number(lookedAt + slice.left)} looked at, ${number(total.changed)} ${done}`);
      } while (cursor && !running.isStopped);
      if (running.isStopped) break;
    }
  } catch (error) {
    if (total.changed) error.message += ` Before that, ${count(total.changed, 'job')} ${total.changed === 1 ? 'was' : 'were'} ${done}.`;
    throw error;
  } finally {
    running.end();
  }
  return { ...total, isStopped: running.isStopped };
}

export function messageOf(verb, { changed, conflicts, unknown, isStopped }) {
  const rest = [
    isStopped && 'stopped before the end',
    conflicts && `${number(conflicts)} stay dead, since other jobs hold their unique keys`,
    unknown && `${number(unknown)} were gone, or in another state by then`,
  ].filter(Boolean);
  return [`${count(changed, 'job')} ${VERBS[verb].says}`, ...rest].join('; ') + '.';
}
