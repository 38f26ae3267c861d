// Short messages about what was done. Screen readers say them.

import { button, h } from './dom.js';

const SHOWN_FOR = 6000;

/** `kind` is `good` or `bad`. What went wrong stays until it is closed. */
export function toast(kind, ...content) {
  const box = document.getElementById('toasts');
  const close = button('button.quiet.round', '×', () => element.remove(), { 'aria-label': 'Close' });
  const element = h(`div.toast.${kind}`, null, h('div', null, content), close);
  box.append(element);
  while (box.children.length > 4) box.firstElementChild.remove();
  if (kind !== 'bad') setTimeout(() => element.remove(), SHOWN_FOR);
}
