// A queue's settings. Nobody's change is overwritten: the server takes ours only if theirs are those that we have seen.

import { getQueue, putSettings } from '../api.js';
import { act } from '../action.js';
import { button, h, setHidden, setText, userText } from '../dom.js';
import { bytes, duration } from '../format.js';
import { field, input, numberError, parseNumber, select } from '../fields.js';
import { may } from '../key.js';
import { crumbs } from '../pieces.js';
import { queueLink } from '../router.js';

/** How each is shown and read. `name` is the way to it in the settings. */
const FIELDS = [
  { name: 'lease', label: 'Lease', unit: 'seconds', help: 'For so long a job belongs to the worker that claimed it.' },
  { name: 'max_attempts', label: 'Max attempts', isWhole: true, help: 'After so many failures a job is dead.' },
  { name: 'max_lost_leases', label: 'Max lost leases', isWhole: true, help: 'After so many lost leases a job is dead.' },
  { name: 'backoff.kind', label: 'Backoff', choices: [['exponential', 'Doubles each time'], ['fixed', 'Always the same']], help: 'How long a failed job waits for its next attempt.' },
  { name: 'backoff.delay', label: 'First delay', unit: 'seconds' },
  { name: 'backoff.max', label: 'Max delay', unit: 'seconds', only: (read) => read('backoff.kind') === 'exponential' },
  { name: 'retain', label: 'Keep done jobs', unit: 'seconds', help: 'Done and cancelled ones.' },
  { name: 'dead_retain', label: 'Keep dead jobs', unit: 'seconds' },
  { name: 'max_dead', label: 'Max dead jobs', isWhole: true, help: 'So many are kept, the newest.' },
  { name: 'max_bytes', label: 'Max payload', unit: 'bytes', isWhole: true, isOptional: true, help: 'Empty: the server’s limit.' },
  { name: 'partitions', label: 'Partitions', isWhole: true, help: 'New jobs are spread over so many. Each has an order of its own.' },
  { name: 'legacy_delivery', label: 'Legacy workers get jobs', choices: [['at-most-once', 'At most once'], ['at-least-once', 'At least once']] },
  { name: 'paused', label: 'Jobs', choices: [['false', 'Are handed out'], ['true', 'Are held back (paused)']] },
];

const textOf = ({ name }, settings) => String(name.split('.').reduce((value, part) => value?.[part], settings) ?? '');

export function settingsView(app, queue) {
  let base = null;
  let tag = null;
  const controls = new Map(FIELDS.map((one) => [one.name, createField(one, () => showState())]));
  const read = (name) => controls.get(name).control.value;
  const changed = () => FIELDS.filter((one) => base && read(one.name) !== textOf(one, base));
  const save = h('button.button.primary', { type: 'submit' }, 'Save');
  const undo = button('button.button', 'Undo', () => fill(base, true));
  const state = h('p.said', { role: 'status' });
  const conflict = h('div.banner.warn', { role: 'alert', tabindex: '-1', hidden: true });
  const form = h('form.card', { novalidate: true, onsubmit: submit }, conflict,
    h('div.form-grid', null, [...controls.values()].map((one) => one.element)),
    h('div.actions', null, save, undo, state));
  const element = h('div.view', null,
    h('header.head', null, crumbs(userText('a', queue, { href: queueLink(queue) })), h('h1', { tabindex: '-1' }, 'Settings')), form);

  function showState() {
    const count = changed().length;
    for (const one of FIELDS) {
      const { element, control, setHint } = controls.get(one.name);
      if (one.only) setHidden(element, !one.only(read));
      setHint(hintOf(one, control.value));
    }
    save.disabled = undo.disabled = count === 0;
    setText(state, count ? `${count} changed` : '');
    const isAllowed = may('admin');
    setHidden(save, !isAllowed);
    setHidden(undo, !isAllowed);
    for (const { control } of controls.values()) control.disabled = !isAllowed;
  }

  /** What somebody typed stays, unless all is to be as it was. */
  function fill(settings, isAll) {
    const typed = new Set(isAll ? [] : changed().map(({ name }) => name));
    base = settings;
    for (const one of FIELDS) {
      const { control, setError } = controls.get(one.name);
      setError(null);
      if (!typed.has(one.name)) control.value = textOf(one, settings);
    }
    showState();
  }

  async function submit(event) {
    event.preventDefault();
    const wrong = FIELDS.filter((one) => !check(one));
    if (wrong.length) return controls.get(wrong[0].name).control.focus();
    await act(app, save, async () => {
      try {
        const saved = await putSettings(queue, settingsFrom(base, read), tag);
        setHidden(conflict, true);
        tag = saved.tag;
        fill(saved.settings, true);
        return 'The settings were saved.';
      } catch (error) {
        if (error.pointer) return showPointer(error);
        if (error.status !== 412) throw error;
        await reload();
        return null;
      }
    });
  }

  function check(one) {
    const { element, control, setError } = controls.get(one.name);
    const isNumber = !one.choices && !element.hidden && !(one.isOptional && control.value.trim() === '');
    const error = isNumber ? numberError(control.value) : null;
    setError(error);
    return !error;
  }

  function showPointer(error) {
    const found = controls.get(error.pointer.slice(1).replaceAll('/', '.'));
    if (!found) throw error;
    found.setError(error.message);
    found.control.focus();
    return null;
  }

  /** Somebody else was faster: shows what they set, and keeps what was typed here. */
  async function reload() {
    const fresh = await getQueue(queue);
    tag = fresh.tag;
    fill(fresh.settings, false);
    conflict.replaceChildren(
      h('strong', null, 'Not saved: somebody changed the settings meanwhile.'),
      ' The form has the new values. What you changed is still as you typed it: look at it, and save again.');
    setHidden(conflict, false);
    conflict.focus();
  }

  showState();

  return {
    element,
    title: `Settings · ${queue}`,
    nav: 'overview',
    up: queueLink(queue),
    pause: 5000,
    async load(signal) {
      const current = await getQueue(queue, signal);
      if (current.tag !== tag && changed().length === 0) {
        tag = current.tag;
        fill(current.settings, true);
      }
      showState();
    },
  };
}

function createField(one, onChange) {
  const control = one.choices
    ? select(one.choices, { onchange: onChange })
    : input({ inputmode: one.isWhole ? 'numeric' : 'decimal', oninput: onChange });
  return field(one.unit ? `${one.label} (${one.unit})` : one.label, control, one.help);
}

/** Large numbers of seconds and bytes say little. */
function hintOf({ unit, help = '' }, text) {
  const value = parseNumber(text);
  const readable = unit === 'seconds' && value >= 60 ? duration(value) : unit === 'bytes' && value >= 1024 ? bytes(value) : '';
  return [readable, help].filter(Boolean).join(' · ');
}

/** The settings with what the form says in their place. Settings that this page does not know stay as they are. */
function settingsFrom(base, read) {
  const settings = structuredClone(base);
  for (const one of FIELDS) {
    const [name, part] = one.name.split('.');
    const target = part ? (settings[name] ??= {}) : settings;
    if (one.only && !one.only(read)) delete target[part ?? name];
    else target[part ?? name] = valueOf(one, read(one.name));
  }
  return settings;
}

function valueOf(one, text) {
  if (one.name === 'paused') return text === 'true';
  if (one.choices) return text;
  return text.trim() === '' ? null : parseNumber(text);
}
