// Fields of forms: a label, a control, a hint and an error that belong together.

import { h, setAttr, setHidden, setText } from './dom.js';

let lastId = 0;

/** `{element, control, setError(text), setHint(text)}`. */
export function field(label, control, hint = '') {
  lastId += 1;
  const id = `field-${lastId}`;
  const hintNode = h('span.help', { id: `${id}-hint` }, hint);
  const errorNode = h('span.error', { id: `${id}-error`, role: 'alert', hidden: true });
  setAttr(control, 'id', id);
  setAttr(control, 'aria-describedby', `${id}-hint ${id}-error`);
  const setError = (text) => {
    setText(errorNode, text ?? '');
    setHidden(errorNode, !text);
    setAttr(control, 'aria-invalid', text && 'true');
  };
  // At once: were it to go when the field is left, a button would move away from under the click that leaves it.
  control.addEventListener('input', () => setError(null));
  return {
    control,
    element: h('div.field', null, h('label', { for: id }, label), control, hintNode, errorNode),
    setHint: (text) => setText(hintNode, text),
    setError,
  };
}

export function input(props) {
  return h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', ...props });
}

export function searchField(label, oninput) {
  return input({ type: 'search', placeholder: label, 'aria-label': label, dir: 'auto', oninput });
}

export function select(options, props) {
  return h('select', props, options.map(([value, label]) => h('option', { value }, label)));
}

/** A number as people type it; NaN if it is none. */
export function parseNumber(text) {
  return /^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/.test(text.trim()) ? Number(text.trim().replace(',', '.')) : NaN;
}

/** What is wrong with a number, or null. Which numbers are allowed is for the server to say. */
export function numberError(text) {
  return Number.isNaN(parseNumber(text)) ? 'This must be a number.' : null;
}
