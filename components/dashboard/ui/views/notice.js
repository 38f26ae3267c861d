// What stands in place of a view: nothing there, not allowed, a key needed.

import { h } from '../dom.js';

export function notice(title, text, ...more) {
  return h('section.notice', null, h('h1', { tabindex: '-1' }, title), text && h('p', null, text), more);
}

const TITLES = {
  'no-such-queue': 'There is no such queue',
  'no-such-job': 'There is no such job',
  'scope-missing': 'This key may not see this',
};
const TEXTS = {
  'no-such-queue': 'It was deleted, or never had a job. It appears here as soon as it exists.',
  'no-such-job': 'It was deleted, or it ended and its retention is over. Queues keep done jobs only if their settings say so.',
};

export function problemNotice(error) {
  return notice(TITLES[error.type] ?? error.title ?? 'This did not work', TEXTS[error.type] ?? error.message,
    h('p', null, h('a.button', { href: '#/' }, 'All queues')));
}

/** `use(key)` is called with what was typed. */
export function keyForm(isWrong, use) {
  const input = h('input', {
    type: 'password', id: 'key', autocomplete: 'off', spellcheck: 'false', required: true, pattern: '[!-~]+',
    title: 'A key is visible ASCII without spaces', 'aria-describedby': 'key-help', 'aria-invalid': isWrong && 'true',
  });
  return h('section.notice', null,
    h('h1', { tabindex: '-1' }, 'This server needs a key'),
    isWrong && h('p.error', { role: 'alert' }, 'The key that was given is not valid, or not any more.'),
    h('form.key-form', { onsubmit: (event) => { event.preventDefault(); use(input.value.trim()); } },
      h('label', { for: 'key' }, 'Key'),
      h('div.row', null, input, h('button.button.primary', { type: 'submit' }, 'Use this key')),
      h('p.help', { id: 'key-help' }, 'It is kept in this tab until you close it, and sent to this server alone.')));
}
