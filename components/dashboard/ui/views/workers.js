// Who was seen where, and when.

import { getWorkers } from '../api.js';
import { h, setHidden, setText, syncRows, userText } from '../dom.js';
import { searchField } from '../fields.js';
import { count, number } from '../format.js';
import { go, link, queueLink } from '../router.js';
import { listTable, when } from '../table.js';
import { setTime, time } from '../time.js';

const ROWS = 200;

/** The times are exact to a minute, so there is no hurry. */
const PAUSE = 5000;

export function workersView(app, query) {
  let filters = query;
  let workers = [];
  const search = searchField('Search workers and queues', () => {
    go(link(['workers'], { ...filters, search: search.value }), { replace: true });
  });
  const said = h('p.said', { role: 'status' });
  const rows = listTable('Workers', [
    { label: 'Worker', spec: 'th.col-name', cell: (node, { worker }) => { node.append(userText('div.who', worker)); } },
    when('Last seen', ({ last_seen_at: at }) => at),
    { label: 'Queues', spec: 'td', cell: placesCell },
  ], ({ worker }) => worker);
  const empty = h('section.empty', { hidden: true });
  const element = h('div.view', null,
    h('header.head', null, h('h1', { tabindex: '-1' }, 'Workers'),
      h('p.lead', null, 'Those that gave a name and claimed in the last 24 hours. What they hold now stands at each queue’s active jobs.')),
    h('div.toolbar', { role: 'search' }, search, said), rows.element, empty);
  search.value = filters.search ?? '';

  function show() {
    const wanted = (filters.search ?? '').toLowerCase();
    const found = workers.filter(({ worker, queues }) => [worker, ...queues.map(({ queue }) => queue)].some((name) => name.toLowerCase().includes(wanted)));
    const all = count(workers.length, 'worker');
    const rest = found.length > ROWS ? `; ${ROWS} of them are shown` : '';
    setText(said, (wanted ? `${number(found.length)} of ${all} match` : all) + rest);
    setHidden(rows.element, found.length === 0);
    setHidden(empty, workers.length > 0);
    rows.update(found.slice(0, ROWS));
  }
  empty.append(h('h2', null, 'No workers yet'),
    h('p', null, 'A worker shows up here when it claims with a name: ', h('code', null, '{"worker": "mailer-7"}'), '.'));

  return {
    element,
    title: 'Workers',
    nav: 'workers',
    up: '#/',
    pause: PAUSE,
    reroute(given) {
      filters = given;
      if (document.activeElement !== search) search.value = given.search ?? '';
      show();
    },
    async load(signal) {
      workers = (await getWorkers(signal)).workers;
      show();
    },
  };
}

function placesCell(node) {
  const places = node.appendChild(h('ul.places'));
  return ({ queues }) => syncRows(places, queues, ({ queue }) => queue, createPlace);
}

function createPlace({ queue }) {
  const seen = time(null);
  const name = userText('a', queue, { href: queueLink(queue, { state: 'active' }) });
  return {
    element: h('li', null, name, ' ', seen),
    update: ({ last_seen_at: at }) => setTime(seen, at),
  };
}
