// Tables of things that have a key. A thing's row stays the same element for as long as the thing is there.

import { h, setAttr, setText, setUserText, syncRows } from './dom.js';
import { number } from './format.js';
import { setTime } from './time.js';

/**
 * A column is `{label, spec, cell}`: `cell(node, thing)` fills the cell of a new row, and gives what brings it up to date, or
 * nothing. `spec` is of the cell; `th` makes it the head of its row. The roles stay when CSS lays the table out otherwise, and
 * labels are shown where there is no room for columns.
 */
export function listTable(caption, columns, keyOf) {
  const body = h('tbody', { role: 'rowgroup' });
  const heads = columns.map(({ label, spec, head }) =>
    h(spec.replace('td', 'th'), { scope: 'col', role: 'columnheader' }, head ?? label));
  const table = h('table', { role: 'table' }, h('caption.hidden-text', null, caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, heads)), body);
  return {
    element: h('div.table-box', null, table),
    heads,
    update: (things) => syncRows(body, things, keyOf, (thing) => createRow(columns, thing)),
  };
}

function createRow(columns, first) {
  const cells = columns.map(({ label, spec }) =>
    h(spec, spec.startsWith('th') ? { scope: 'row', role: 'rowheader' } : { role: 'cell', 'data-label': label }));
  const element = h('tr', { role: 'row' }, cells);
  const updates = columns.map(({ cell }, i) => cell(cells[i], first)).filter(Boolean);
  return { element, update: (thing) => updates.forEach((update) => update(thing)) };
}

export function text(label, read, spec = 'td') {
  return { label, spec, cell: (node) => (thing) => setUserText(node, read(thing) || '–') };
}

/** `show` may be shorter than the number: then the whole of it is in the title. */
export function digits(label, read, show = number) {
  return { label, spec: 'td.num', cell: (node) => (thing) => {
    const value = read(thing);
    setText(node, show(value));
    setAttr(node, 'title', show(value) !== number(value) && number(value));
    setAttr(node, 'data-zero', value === 0);
  } };
}

export function when(label, read) {
  return { label, spec: 'td.when', cell: (node) => {
    const time = node.appendChild(h('time'));
    return (thing) => setTime(time, read(thing));
  } };
}
