// A form for a new job. What is typed as JSON is sent as it is typed, byte for byte.

import { optionsOf, insertBody, payloadOf } from '../again.js';
import { getJob, insertJob, Unreachable } from '../api.js';
import { act } from '../action.js';
import { h, setHidden, setText } from '../dom.js';
import { field, input, numberError, parseNumber, select } from '../fields.js';
import { jobLabel } from '../format.js';
import { findError } from '../json.js';
import { may } from '../key.js';
import { jobLink } from '../router.js';

const NUMBERS = ['delay', 'max_attempts', 'timeout', 'expires_in', 'unique_for'];
const PRIORITIES = ['9 · first', '8', '7', '6', '5', '4 · as usual', '3', '2', '1', '0 · last'];

export function insertView(app, query) {
  const fields = createFields();
  const controls = Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, one.control]));
  const send = h('button.button.primary', { type: 'submit' }, 'Insert');
  const result = h('p.result', { role: 'status' });
  const denied = h('p.banner.warn', { hidden: true }, 'This key may not insert jobs.');
  const grid = (...names) => h('div.form-grid', null, names.map((name) => fields[name].element));
  const more = h('details', null, h('summary', null, 'More options'),
    grid('priority', 'max_attempts', 'timeout', 'expires_in', 'unique_key', 'unique_hold', 'unique_for'), fields.metadata.element);
  const form = h('form.card', { novalidate: true, onsubmit: submit },
    fields.queue.element, fields.payload.element,
    grid('when', 'delay', 'run_at'), more, denied, h('div.actions', null, send, result));
  const element = h('div.view.narrow', null, h('header.head', null, h('h1', { tabindex: '-1' }, 'New job')), form);

  /** Repeating a request whose answer was lost inserts nothing twice; another request needs another key. */
  let attempt = { request: '', key: '' };
  let backoff = null;
  let wantsJob = query.from;

  const show = () => {
    setHidden(fields.delay.element, controls.when.value !== 'delay');
    setHidden(fields.run_at.element, controls.when.value !== 'run_at');
    setHidden(fields.unique_hold.element, controls.unique_key.value === '');
    setHidden(fields.unique_for.element, controls.unique_key.value === '' || controls.unique_hold.value !== 'for');
  };
  form.addEventListener('input', show);
  form.addEventListener('focusout', ({ target }) => {
    if (target === controls.payload && target.value.trim()) checkJson(fields.payload);
    if (target === controls.metadata) checkMetadata(fields.metadata);
  });
  controls.queue.value = query.queue ?? '';
  controls.priority.value = '4';
  show();

  async function submit(event) {
    event.preventDefault();
    const wrong = checkAll(fields);
    if (wrong) {
      if (more.contains(wrong.control)) more.open = true;
      return showError(wrong);
    }
    const queue = controls.queue.value;
    const body = insertBody(controls.payload.value, optionsFrom(controls, backoff));
    if (attempt.request !== queue + body) attempt = { request: queue + body, key: randomKey() };
    setText(result, '');
    await act(app, send, async () => {
      try {
        showResult(result, await insertJob(queue, body, attempt.key));
        attempt = { request: '', key: '' };
      } catch (error) {
        if (error instanceof Unreachable) error.message += ' The job may be there. Insert it again: it is not stored twice.';
        if (!showPointer(fields, error)) throw error;
      }
      return null;
    });
  }

  async function fillFrom(signal) {
    const job = await getJob(query.queue, wantsJob, signal);
    wantsJob = null;
    backoff = fillForm(controls, job);
    more.open = Object.keys(optionsOf(job)).length > 0;
    show();
  }

  return {
    element,
    title: 'New job',
    nav: 'new',
    up: '#/',
    pause: 30000,
    reroute() {},
    async load(signal) {
      const isAllowed = may('insert');
      setHidden(denied, isAllowed);
      setHidden(send, !isAllowed);
      if (wantsJob) await fillFrom(signal);
    },
  };
}

function createFields() {
  const area = (rows, placeholder) => h('textarea.json', { rows, placeholder, spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off' });
  const decimal = (props) => input({ inputmode: 'decimal', ...props });
  return {
    queue: field('Queue', input({ required: true, dir: 'auto' }), 'It is made if it does not exist.'),
    payload: field('Payload', area(8, '{"to": "ann@example.org"}'), 'Any JSON. It is kept exactly as you type it.'),
    when: field('When', select([['now', 'At once'], ['delay', 'After a delay'], ['run_at', 'At a time']])),
    delay: field('Delay (seconds)', decimal()),
    run_at: field('Time', h('input', { type: 'datetime-local', step: '1' }), 'In your time zone.'),
    priority: field('Priority', select(PRIORITIES.map((label) => [label[0], label]))),
    max_attempts: field('Max attempts', decimal({ inputmode: 'numeric' }), 'Empty: the queue’s setting.'),
    timeout: field('Lease (seconds)', decimal(), 'Empty: the queue’s setting.'),
    expires_in: field('Expires in (seconds)', decimal(), 'Empty: never.'),
    unique_key: field('Unique key', input({ dir: 'auto' }), 'Nothing is inserted while another job holds it.'),
    unique_hold: field('The key is held', select([['unfinished', 'Until the job has ended'], ['waiting', 'Until it is claimed'], ['for', 'For a time']])),
    unique_for: field('Held for (seconds)', decimal()),
    metadata: field('Metadata', area(3), 'A JSON object for your own use. Empty: none.'),
  };
}

// Checking.

function checkJson(one) {
  const error = findError(one.control.value);
  one.setError(error && `Line ${error.line}, column ${error.column}: ${error.message}.`);
  return error;
}

function checkMetadata(one) {
  if (one.control.value.trim() !== '') return checkJson(one);
  one.setError(null);
  return null;
}

/** The first field that is wrong, with where in it; null if all is right. */
function checkAll(fields) {
  let first = null;
  const note = (one, at) => { first ??= { control: one.control, at }; };
  const isQueue = !['', '.', '..'].includes(fields.queue.control.value);
  fields.queue.setError(isQueue ? null : 'The job needs a queue, and none can be called . or ..');
  if (!isQueue) note(fields.queue);
  const payload = checkJson(fields.payload);
  if (payload) note(fields.payload, payload.at);
  for (const name of NUMBERS) {
    const { control, element, setError } = fields[name];
    const isNeeded = (name === 'delay' || name === 'unique_for') && !element.hidden;
    const error = element.hidden || (!isNeeded && control.value.trim() === '') ? null : numberError(control.value);
    setError(error);
    if (error) note(fields[name]);
  }
  const { element, control, setError } = fields.run_at;
  const lacksTime = !element.hidden && control.value === '';
  setError(lacksTime ? 'Which time?' : null);
  if (lacksTime) note(fields.run_at);
  const metadata = checkMetadata(fields.metadata);
  if (metadata) note(fields.metadata, metadata.at);
  return first;
}

function showError({ control, at }) {
  control.focus();
  if (at !== undefined) control.setSelectionRange(at, Math.min(at + 1, control.value.length));
}

function showPointer(fields, error) {
  if (!error.pointer) return false;
  const [, name, part] = error.pointer.split('/');
  const found = fields[name === 'unique' ? `unique_${part === 'for' ? 'for' : 'key'}` : name];
  if (!found) return false;
  found.setError(error.message);
  found.control.focus();
  return true;
}

// From the form to the request, and back.

function optionsFrom(controls, backoff) {
  const value = (name) => controls[name].value.trim();
  const options = {};
  if (value('when') === 'delay') options.delay = String(parseNumber(value('delay')));
  if (value('when') === 'run_at') options.run_at = JSON.stringify(new Date(value('run_at')).toISOString());
  if (value('priority') !== '4') options.priority = value('priority');
  for (const name of ['max_attempts', 'timeout', 'expires_in']) {
    if (value(name) !== '') options[name] = String(parseNumber(value(name)));
  }
  if (backoff) options.backoff = backoff;
  if (controls.unique_key.value !== '') options.unique = JSON.stringify(uniqueFrom(controls));
  if (value('metadata') !== '') options.metadata = controls.metadata.value;
  return options;
}

function uniqueFrom(controls) {
  const key = controls.unique_key.value;
  const hold = controls.unique_hold.value;
  return hold === 'for' ? { key, for: parseNumber(controls.unique_for.value) } : { key, while: hold };
}

/** Gives the job's backoff, which has no field. */
function fillForm(controls, job) {
  const options = optionsOf(job);
  const { unique } = job.fields;
  controls.payload.value = payloadOf(job) ?? '';
  controls.priority.value = String(job.fields.priority);
  for (const name of ['max_attempts', 'timeout', 'expires_in', 'metadata']) controls[name].value = options[name] ?? '';
  if (unique) {
    controls.unique_key.value = unique.key;
    controls.unique_hold.value = unique.for ? 'for' : unique.while;
    controls.unique_for.value = unique.for ?? '';
  }
  if (options.run_at) {
    controls.when.value = 'run_at';
    controls.run_at.value = localTime(job.fields.run_at);
  }
  return options.backoff ?? null;
}

function localTime(iso) {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

/** Works on pages without TLS as well, where `crypto.randomUUID` is missing. */
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function showResult(node, { id, queue, duplicate }) {
  const link = h('a', { href: jobLink(queue, id) }, `job ${jobLabel(id)}`);
  node.replaceChildren(...(duplicate ? ['Nothing was inserted: the ', link, ' holds the unique key.'] : ['Inserted as ', link, '.']));
}
