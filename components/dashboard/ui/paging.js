// Pages behind cursors, which only lead forwards: the way back is remembered for as long as the page is open.

import { h, setAttr, setHidden, setText } from './dom.js';

const before = new Map();

/** `linkTo(cursor)` is the address of a page; an empty cursor means the first. */
export function pager(linkTo) {
  const back = h('a.button.small');
  const next = h('a.button.small', null, 'Next');
  const element = h('nav.pager', { 'aria-label': 'Pages' }, back, next);
  return {
    element,
    update(cursor, nextCursor) {
      if (nextCursor) before.set(nextCursor, cursor ?? '');
      setHidden(element, !cursor && !nextCursor);
      setHidden(back, !cursor);
      setHidden(next, !nextCursor);
      setText(back, before.has(cursor) ? 'Previous' : 'First page');
      setAttr(back, 'href', linkTo(before.get(cursor) ?? ''));
      setAttr(next, 'href', linkTo(nextCursor ?? ''));
    },
  };
}
