// JSON to look at: indented, coloured, and with every digit as it was written.

import { copyButton } from './copy.js';
import { button, h } from './dom.js';
import { bytes } from './format.js';
import { findError, pretty } from './json.js';

/** So many characters are shown at first. */
const SHOWN = 100000;

/** `isUnusual`: strict readers of JSON refuse it, or it is no JSON. */
export function jsonBlock(title, text, isUnusual = false) {
  const isJson = !isUnusual || !findError(text);
  // JSON reads from left to right, whatever the strings in it do.
  const code = h('code', { dir: isJson ? 'ltr' : 'auto' });
  const showAll = button('button.button.small', 'Show all', () => { fill(Infinity); showAll.remove(); });
  const fill = (limit) => code.replaceChildren(...(isJson ? coloured(text, limit) : [text.slice(0, limit)]));
  fill(SHOWN);
  const isCut = code.textContent.length >= SHOWN;
  return h('section.card.json', null,
    h('header', null, h('h2', null, title), h('span.said', null, bytes(new Blob([text]).size)), copyButton('Copy', () => text)),
    isUnusual && h('p.help', null, isJson
      ? 'Strict readers of JSON reject this, so responses carry it as text. It is shown as it was written.'
      : 'This is not JSON. A client of one of the old protocols inserted it.'),
    h('pre', { tabindex: '0', 'aria-label': title }, code),
    isCut && showAll);
}

/** Millions of spans would stop the browser: what is not shown at first gets none. */
function coloured(text, limit) {
  const nodes = [];
  let length = 0;
  let rest = '';
  for (const [kind, piece] of pretty(text)) {
    length += piece.length;
    if (length > limit) return [...nodes, piece.slice(0, piece.length - (length - limit)), '…'];
    if (length > SHOWN) rest += piece;
    else nodes.push(kind === 'mark' ? piece : h(`span.json-${kind}`, null, piece));
  }
  return [...nodes, rest];
}
