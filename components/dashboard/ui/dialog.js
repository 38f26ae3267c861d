// Questions that must be answered before something is done, and the help.

import { button, h } from './dom.js';

function show(dialog) {
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (before?.isConnected) before.focus({ preventScroll: true });
  });
  dialog.showModal();
}

/**
 * Asks, and resolves to whether the answer is yes. With `typed`, only after that text was typed.
 */
export function confirm({ title, text, yes, isDanger = false, typed }) {
  return new Promise((resolve) => {
    const accept = h(`button.button.${isDanger ? 'danger' : 'primary'}`, { type: 'submit', disabled: Boolean(typed) }, yes);
    const input = typed && h('input', {
      type: 'text', dir: 'auto', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off',
      oninput: () => { accept.disabled = input.value !== typed; },
    });
    let answer = false;
    const form = h('form', { onsubmit: (event) => { event.preventDefault(); answer = !accept.disabled; dialog.close(); } },
      h('h2', { id: 'dialog-title' }, title),
      text && h('p', null, text),
      typed && h('label.field', null, h('span', null, 'Type ', h('bdi.typed', null, typed), ' to confirm'), input),
      h('div.actions.end', null,
        button('button.button', 'Back', () => dialog.close()), accept));
    const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, form);
    dialog.addEventListener('close', () => resolve(answer));
    show(dialog);
    (input ?? accept).focus();
  });
}

const SHORTCUTS = [
  ['/', 'Search'],
  ['j', 'Next row'],
  ['k', 'Previous row'],
  ['Enter', 'Open the row'],
  ['r', 'Refresh; on a dead job: redrive it'],
  ['Esc', 'Leave the search; go up'],
  ['?', 'This help'],
];

export function showHelp() {
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' },
    h('h2', { id: 'dialog-title' }, 'Keyboard'),
    h('dl.shortcuts', null, SHORTCUTS.map(([key, does]) => h('div', null, h('dt', null, h('kbd', null, key)), h('dd', null, does)))),
    h('div.actions.end', null, button('button.button', 'Close', () => dialog.close(), { autofocus: true })));
  show(dialog);
}
