// Searching the jobs of a queue. What is searched for stands in the address: `by` and `search`, and for dead jobs `reason` and
// `group`, which may be empty.

import { searchJobs } from './api.js';
import { h } from './dom.js';
import { searchField, select } from './fields.js';

const BY = [['text', 'Payload'], ['id', 'Id'], ['error', 'Error'], ['unique', 'Unique key'], ['metadata', 'Metadata']];

const FILTERS = {
  id: (search) => ({ ids: search.split(/[\s,]+/) }),
  metadata: (search) => {
    const [, name, value] = /^([^=]*)=?(.*)$/s.exec(search);
    return { metadata: { [name.trim()]: metadataValue(value.trim()) } };
  },
};

/** Numbers, true, false and null are what they look like; all else is a string, and needs no quotes. */
function metadataValue(text) {
  try {
    const value = JSON.parse(text);
    return Object(value) === value ? text : value;
  } catch {
    return text;
  }
}

const known = (by) => (BY.some(([name]) => name === by) ? by : 'text');

/** What the address asks for, as the API takes it; null if it asks for all. */
export function filterOf({ by, search = '', reason, group = reason && '' }) {
  const wanted = search.trim();
  if (!wanted && group === undefined) return null;
  const name = known(by);
  return { reason, group, ...(wanted && (FILTERS[name]?.(wanted) ?? { [name]: search })) };
}

/** `submit({by, search})` is called when something was typed and sent, or was emptied. */
export function searchForm(submit) {
  const by = select(BY, { 'aria-label': 'Search in', onchange: () => { tell(); if (input.value) send(); } });
  const input = searchField('Search jobs', () => { if (!input.value) send(); });
  const send = () => submit({ by: by.value === 'text' ? '' : by.value, search: input.value });
  const tell = () => { input.placeholder = by.value === 'metadata' ? 'name=value' : 'Search jobs'; };
  return {
    element: h('form.search', { role: 'search', onsubmit: (event) => { event.preventDefault(); input.blur(); send(); } }, input, by),
    show(filters) {
      if (document.activeElement !== input) input.value = filters.search ?? '';
      by.value = known(filters.by);
      tell();
    },
  };
}

/**
 * Looks for so many jobs, slice by slice, for as long as `goOn(found)` says. Gives `{jobs, lookedAt, left, passedOver, next}`.
 */
export async function find(queue, body, limit, signal, goOn) {
  const found = { jobs: [], lookedAt: 0, next: body.cursor };
  do {
    const part = body.ids ? { payload: undefined } : { limit: limit - found.jobs.length, cursor: found.next };
    const slice = await searchJobs(queue, { ...body, ...part }, signal);
    found.jobs.push(...slice.jobs);
    found.lookedAt += slice.looked_at;
    Object.assign(found, { next: slice.next, left: slice.left, passedOver: slice.passed_over });
  } while (found.jobs.length < limit && goOn(found) && found.next);
  return found;
}
