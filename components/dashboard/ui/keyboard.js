// Keys for those who do not like the mouse. They are off while somebody types, and in dialogs.

import { showHelp } from './dialog.js';

export function listenToKeys(currentView, app) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const isTyping = event.target.closest?.('input:not([type=checkbox]), textarea, select, [contenteditable]');
    const act = isTyping ? typingKeys[event.key] : keys[event.key];
    if (act && act(currentView(), app, event) !== false) event.preventDefault();
  });
}

const typingKeys = {
  Escape: (view, app, event) => {
    if (event.target.type === 'search' && event.target.value) return false;
    event.target.blur();
  },
};

const keys = {
  '/': search,
  '?': () => showHelp(),
  j: () => move(1),
  k: () => move(-1),
  r: (view, app) => (view?.retry ?? app.refresh)(),
  Escape: (view) => (view?.up ? void (location.hash = view.up) : false),
};

/** Where there is nothing to search, the queues are searched. */
function search() {
  const field = () => document.querySelector('input[type=search]');
  if (field()) return field().focus();
  window.addEventListener('hashchange', () => field()?.focus(), { once: true });
  location.hash = '#/';
}

/** From row to row. The focus is what moves, so that Enter opens and a screen reader reads. */
function move(by) {
  const links = [...document.querySelectorAll('main .row-link')].filter((link) => link.offsetParent !== null);
  if (!links.length) return false;
  const row = document.activeElement?.closest('tr, li');
  const at = links.findIndex((link) => link === document.activeElement || row?.contains(link));
  const next = links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)];
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}
