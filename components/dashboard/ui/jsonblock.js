// JSON to look at: indented, coloured, and with every digit as it was written.

import { copyButton } from './copy.js';
import { button, h } from './dom.js';
import { bytes } from './format.js';
import { findError, pretty } from './json.js';

/** A longer text has no colours, since millions of spans would stop the browser, and only its beginning is shown at first. */
const LONG = 100000;

/** `isUnusual`: strict readers of JSON refuse it, or it is no JSON. */
export function jsonBlock(title, text, isUnusual = false) {
  const isJson = !isUnusual || !findError(text);
  const pieces = isJson ? [...pretty(text)] : [['mark', text]];
  const whole = pieces.map(([, piece]) => piece).join('');
  const isLong = whole.length > LONG;
  const shown = isLong
    ? [whole.slice(0, LONG) + '…']
    : pieces.map(([kind, piece]) => (kind === 'mark' ? piece : h(`span.json-${kind}`, null, piece)));
  // JSON reads from left to right, whatever the strings in it do.
  const code = h('code', { dir: isJson ? 'ltr' : 'auto' }, shown);
  const showAll = button('button.button.small', 'Show all', () => { code.textContent = whole; showAll.remove(); });
  return h('section.card.json', null,
    h('header', null, h('h2', null, title), h('span.said', null, bytes(new Blob([text]).size)), copyButton('Copy', () => text)),
    isUnusual && h('p.help', null, isJson
      ? 'Strict readers of JSON reject this, so responses carry it as text. It is shown as it was written.'
      : 'This is not JSON. A client of one of the old protocols inserted it.'),
    h('pre', { tabindex: '0', 'aria-label': title }, code),
    isLong && showAll);
}
