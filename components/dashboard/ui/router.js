// Where the page is: `#/queues/mail?state=dead`. The fragment is the page's own; the path may have a prefix, and the query is
// RestMQ's.

/** `{path: ['queues', 'mail'], query: {state: 'dead'}}`; null if the fragment is no route. */
export function parse(fragment) {
  const text = fragment.replace(/^#?\/?/, '');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  try {
    return {
      path: path === '' ? [] : path.split('/').map(decodeURIComponent),
      query: mark < 0 ? {} : Object.fromEntries(new URLSearchParams(text.slice(mark + 1))),
    };
  } catch {
    return null;
  }
}

/** The fragment of a route. Members of the query without a value are left out, but for `group`, which is one also when empty. */
export function link(path, query = {}) {
  const kept = Object.entries(query).filter(([name, value]) => value || (value === '' && name === 'group'));
  const suffix = kept.length ? '?' + new URLSearchParams(kept) : '';
  return '#/' + path.map(encodeURIComponent).join('/') + suffix;
}

export function queueLink(queue, query) {
  return link(['queues', queue], query);
}

export function jobLink(queue, id) {
  return link(['queues', queue, 'jobs', id]);
}

/** Changes the filters of the page that is open. `replace` makes no step in the history, as for each typed letter. */
export function go(fragment, { replace = false } = {}) {
  if (fragment === location.hash) return;
  if (replace) {
    history.replaceState(history.state, '', fragment);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = fragment;
  }
}
