// Pieces that several views have.

import { h, setAttr, setContent, setText } from './dom.js';

/** Numbers with their names, `[key, label]`. `update({key: text | {text, title, level}})`. */
export function statRow(label, names) {
  const values = new Map();
  const element = h('dl.stats', { 'aria-label': label }, names.map(([key, name]) => {
    const value = h('dd');
    values.set(key, value);
    return h('div.stat', { 'data-stat': key }, h('dt', null, name), value);
  }));
  return {
    element,
    update(given) {
      for (const [key, value] of values) {
        const { text, title, level } = typeof given[key] === 'object' ? given[key] : { text: given[key] };
        setText(value, text);
        setAttr(value, 'title', title);
        setAttr(value, 'data-level', level);
      }
    },
  };
}

export function badgeList() {
  const element = h('span.badges');
  return {
    element,
    update: (badges) => setContent(element, badges, () => badges.map(({ kind, text }) => h(`span.badge.${kind}`, null, text))),
  };
}

export function crumbs(...parts) {
  return h('nav.crumbs', { 'aria-label': 'Where you are' }, h('a', { href: '#/' }, 'Queues'), parts.map((part) => [' / ', part]));
}
