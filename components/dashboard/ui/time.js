// Times on the page: relative to read, absolute to point at. They are kept right while the page stands.

import { h, setAttr, setText } from './dom.js';
import { absolute, ago } from './format.js';

/** A `<time>`; `setTime` changes it. */
export function time(iso, spec = 'time') {
  const element = h(spec);
  setTime(element, iso);
  return element;
}

export function setTime(element, iso) {
  setAttr(element, 'datetime', iso ?? null);
  setAttr(element, 'title', iso ? absolute(iso) : null);
  setText(element, iso ? ago(iso) : '–');
}

export function refreshTimes(root) {
  for (const element of root.querySelectorAll('time[datetime]')) setText(element, ago(element.dateTime));
}
