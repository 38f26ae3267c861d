// Short messages about what was done, and about what is being done. Screen readers say them.

import { button, h, setText } from './dom.js';

const SHOWN_FOR = 6000;

function add(kind, text, end) {
  const box = document.getElementById('toasts');
  const element = h(`div.toast.${kind}`, null, text, end);
  box.append(element);
  while (box.children.length > 4) box.firstElementChild.remove();
  return element;
}

/** `kind` is `good` or `bad`. What went wrong stays until it is closed. */
export function toast(kind, ...content) {
  const close = button('button.quiet.round', '×', () => element.remove(), { 'aria-label': 'Close' });
  const element = add(kind, h('div', null, content), close);
  if (kind !== 'bad') setTimeout(() => element.remove(), SHOWN_FOR);
}

/** Something that takes long: it is seen once it has told how far it is, and can be stopped until it ends. */
export function task() {
  const text = h('div');
  let element;
  const running = {
    isStopped: false,
    tell(progress) {
      element ??= add('task', text, button('button.button.small', 'Stop', () => { running.isStopped = true; }));
      setText(text, progress);
    },
    end: () => element?.remove(),
  };
  return running;
}
