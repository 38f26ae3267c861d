// Short messages about what was done, and about what is being done. Screen readers say them.

import { button, h, setText } from './dom.js';

const SHOWN_FOR = 6000;

/** What is under way stays, whatever else is told. */
function add(kind, text, end) {
  const box = document.getElementById('toasts');
  const element = h(`div.toast.${kind}`, null, text, end);
  box.append(element);
  const told = box.querySelectorAll('.toast:not(.task)');
  if (told.length > 4) told[0].remove();
  return element;
}

/** `kind` is `good` or `bad`. What went wrong stays until it is closed. */
export function toast(kind, ...content) {
  const close = button('button.quiet.round', '×', () => element.remove(), { 'aria-label': 'Close' });
  const element = add(kind, h('div', null, content), close);
  if (kind !== 'bad') setTimeout(() => element.remove(), SHOWN_FOR);
}

/**
 * Something that takes long: it is seen once it has told how far it is, and can be stopped until it ends. Only its name is said
 * aloud. Who leaves the page meanwhile is warned.
 */
export function task(name) {
  const text = h('span', { 'aria-live': 'off' });
  const warn = (event) => event.preventDefault();
  let element;
  const running = {
    isStopped: false,
    tell(progress) {
      element ??= add('task', h('div', null, `${name}: `, text), button('button.button.small', 'Stop', () => { running.isStopped = true; }));
      setText(text, progress);
      addEventListener('beforeunload', warn);
    },
    end() {
      element?.remove();
      removeEventListener('beforeunload', warn);
    },
  };
  return running;
}
