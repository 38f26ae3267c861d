// One job: what was asked for, what happened to it, and what can be done.

import { optionsOf, insertBody, payloadOf } from '../again.js';
import { address, deleteJob, getJob } from '../api.js';
import { actionButton } from '../action.js';
import { commandBox } from '../copy.js';
import { changeAll, messageOf, VERBS } from '../bulk.js';
import { ENDED, reasonText } from '../dead.js';
import { confirm } from '../dialog.js';
import { h, setContent, setHidden, setText, userText } from '../dom.js';
import { duration, jobLabel, number } from '../format.js';
import { jsonBlock } from '../jsonblock.js';
import { currentKey, may } from '../key.js';
import { crumbs } from '../pieces.js';
import { link, queueLink } from '../router.js';
import { curlPost } from '../shell.js';
import { time } from '../time.js';
import { timeline } from './timeline.js';

export function jobView(app, queue, id) {
  let job = null;
  const state = h('span.badge.state');
  const [retry, promote] = ['redrive', 'promote'].map((verb) => actionButton(app, 'button.button.primary', VERBS[verb].label, async () => messageOf(verb, await changeAll(queue, verb, [{ ids: [id] }]))));
  const again = h('a.button', { href: link(['new'], { queue, from: id }) }, 'Insert again…');
  const remove = actionButton(app, 'button.button.danger-text', 'Cancel job…', () => removeJob(queue, job));
  const facts = h('dl.facts');
  const events = h('section.card');
  const blocks = h('div');
  const progress = h('div');
  const element = h('div.view', null,
    h('header.head', null, crumbs(userText('a', queue, { href: queueLink(queue) })),
      h('div.head-row', null,
        h('div.head-title', null, h('h1', { tabindex: '-1' }, `Job ${jobLabel(id)}`), state),
        h('div.actions', null, retry, promote, again, remove)),
      h('p.lead', null, h('code.id', { title: 'The id' }, id))),
    h('div.columns', null, h('div', null, blocks), h('div', null, events, progress, facts)));

  const view = {
    element,
    title: `Job ${jobLabel(id)} · ${queue}`,
    nav: 'overview',
    up: queueLink(queue),
    pause: 2000,
    retry: () => (job?.fields.state === 'dead' && may('admin') ? retry.click() : app.refresh()),
    async load(signal) {
      job = await getJob(queue, id, signal);
      const { fields } = job;
      const hasEnded = ENDED.includes(fields.state);
      // The payload comes along each time: a large one is not asked for every two seconds.
      view.pause = Math.max(hasEnded ? 10000 : 2000, Math.min(job.length / 100, 60000));
      view.up = queueLink(queue, { state: fields.state });
      setContent(state, fields.state, () => fields.state);
      state.dataset.state = fields.state;
      setText(remove, hasEnded ? 'Delete job…' : 'Cancel job…');
      setHidden(remove, !may('admin') || fields.state === 'cancelled');
      setHidden(retry, fields.state !== 'dead' || !may('admin'));
      setHidden(promote, fields.state !== 'scheduled' || !may('admin'));
      setHidden(again, !may('insert') || payloadOf(job) === null);
      const { payload, payload_text: payloadText, ...rest } = fields;
      setContent(facts, rest, () => factsOf(rest));
      setContent(events, rest, () => [h('h2', null, 'What happened'), ...timeline(rest)]);
      setContent(progress, [fields.progress, fields.progress_text], () => progressOf(job));
      setContent(blocks, [fields.result, fields.result_text, fields.run_at, Boolean(currentKey())], () => blocksOf(job));
    },
  };
  return view;
}

async function removeJob(queue, { fields }) {
  const hasEnded = ENDED.includes(fields.state);
  const isSure = await confirm(hasEnded
    ? { title: 'Delete the job?', text: 'It is forgotten. This cannot be undone.', yes: 'Delete', isDanger: true }
    : { title: 'Cancel the job?', text: 'It is not handed out any more. A worker that has it is told so when it next reports.', yes: 'Cancel the job', isDanger: true });
  if (!isSure) return null;
  const { state } = await deleteJob(queue, fields.id);
  if (state === 'cancelled') return 'The job is cancelled.';
  location.hash = queueLink(queue, { state: fields.state });
  return 'The job was deleted.';
}

function factsOf(job) {
  const { backoff, unique } = job;
  const rows = [
    ['Priority', number(job.priority)],
    ['Attempts', number(job.attempt)],
    ['Failures', job.max_attempts ? `${number(job.failures)} of ${number(job.max_attempts)}` : number(job.failures)],
    ['Leases lost', number(job.lost_leases)],
    ['Given back', job.released && number(job.released.times)],
    ['Worker', job.worker && userText('span', job.worker)],
    ['Why dead', job.reason && reasonText(job.reason)],
    ['Kept until', job.kept_until && time(job.kept_until)],
    ['Expires', job.expires_at && time(job.expires_at)],
    ['Lease', job.timeout && duration(job.timeout)],
    ['Backoff', backoff && backoffText(backoff)],
    ['Unique key', unique && userText('code', unique.key)],
    ['Key held', unique && (unique.for ? `for ${duration(unique.for)}` : unique.while === 'waiting' ? 'until it is claimed' : 'until it has ended')],
    ['traceparent', job.traceparent && userText('code', job.traceparent)],
    ['tracestate', job.tracestate && userText('code', job.tracestate)],
  ];
  return rows.filter(([, value]) => value).map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value)));
}

function backoffText({ kind, delay, max }) {
  return kind === 'fixed' ? `${duration(delay)} each time` : `from ${duration(delay)}, doubled up to ${duration(max)}`;
}

/** Workers report what they like; a percentage can be drawn. */
function progressOf({ fields, raw }) {
  const block = blockOf('Progress', 'progress', fields, raw);
  const percent = fields.progress?.percent ?? fields.progress;
  const isPercent = typeof percent === 'number' && percent >= 0 && percent <= 100;
  return [isPercent && h('progress', { max: '100', value: String(percent), 'aria-label': 'Progress in per cent' }), block];
}

function blocksOf(job) {
  const { fields, raw } = job;
  return [
    blockOf('Payload', 'payload', fields, raw),
    blockOf('Result', 'result', fields, raw),
    blockOf('Metadata', 'metadata', fields, raw),
    commandOf(job),
  ];
}

function blockOf(title, name, fields, raw) {
  const text = fields[`${name}_text`];
  if (text !== undefined) return jsonBlock(title, text, true);
  return raw.has(name) ? jsonBlock(title, raw.get(name)) : null;
}

function commandOf(job) {
  const payload = payloadOf(job);
  if (payload === null) return null;
  const url = address(['queues', job.fields.queue, 'jobs']);
  const command = curlPost(url, insertBody(payload, optionsOf(job)), Boolean(currentKey()));
  return command && h('section.card', null, h('h2', null, 'Insert it again'), commandBox(command));
}
