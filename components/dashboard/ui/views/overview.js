// All queues.

import { address, getOverview } from '../api.js';
import { sparkline } from '../chart.js';
import { commandBox } from '../copy.js';
import { ageLevel, badges } from '../diagnosis.js';
import { h, setAttr, setContent, setHidden, setText, userText } from '../dom.js';
import { searchField } from '../fields.js';
import { compact, count, duration, number, now, rate } from '../format.js';
import { currentKey } from '../key.js';
import { pager } from '../paging.js';
import { badgeList, statRow } from '../pieces.js';
import { go, link, queueLink } from '../router.js';
import { curlPost } from '../shell.js';
import { digits, listTable } from '../table.js';

const PAGE_SIZE = 50;

/** The small charts change once a minute, so they need not come along each time. */
const HISTORY_EVERY = 10000;
const COLUMNS = [
  { label: 'Queue', sort: 'name', spec: 'th.col-name', cell: nameCell },
  { label: 'Last hour', spec: 'td.col-spark', cell: sparkCell },
  { label: 'Oldest ready', sort: 'age', spec: 'td.col-age', cell: ageCell },
  { ...digits('Ready', ({ counts }) => counts.ready, compact), sort: 'ready' },
  digits('Scheduled', ({ counts }) => counts.scheduled, compact),
  { ...digits('Active', ({ counts }) => counts.active, compact), sort: 'active' },
  { ...digits('Dead', ({ counts }) => counts.dead, compact), sort: 'dead' },
  { ...digits('In / s', ({ rates }) => rates.inserted, rate), sort: 'inserted' },
  digits('Out / s', ({ rates }) => rates.claimed, rate),
  digits('Workers', ({ workers }) => workers, compact),
];
const STATS = [
  ['queues', 'Queues'], ['ready', 'Ready'], ['scheduled', 'Scheduled'], ['active', 'Active'], ['dead', 'Dead'],
  ['in', 'Inserted / s'], ['out', 'Claimed / s'],
];

/** Typed letters are sent after so many milliseconds of rest. */
const REST = 200;

export function overviewView(app, query) {
  let filters = query;
  let historyAt = -Infinity;
  const totals = statRow('Totals of all queues', STATS);
  const tools = toolbar(() => filters);
  const heads = COLUMNS.map((column) => (column.sort ? { ...column, head: h('a', null, column.label) } : column));
  const rows = listTable('Queues', heads, ({ queue }) => queue);
  const pages = pager((cursor) => link([], { ...filters, cursor }));
  const empty = h('section.empty', { hidden: true });
  const content = h('div', null, totals.element, tools.element, rows.element, pages.element);
  const element = h('div.view', null, h('h1.hidden-text', { tabindex: '-1' }, 'Queues'), content, empty);

  const showFilters = () => {
    tools.show(filters);
    COLUMNS.forEach((column, i) => column.sort && showSort(rows.heads[i], column.sort, filters));
  };
  showFilters();

  return {
    element,
    title: 'Queues',
    nav: 'overview',
    reroute(given) {
      filters = given;
      historyAt = -Infinity;
      showFilters();
    },
    async load(signal) {
      const { search, sort, cursor } = filters;
      const isHistoryDue = performance.now() - historyAt > HISTORY_EVERY;
      const page = await getOverview({ limit: PAGE_SIZE, cursor, search, sort, history: isHistoryDue ? 60 : null }, signal);
      if (isHistoryDue) historyAt = performance.now();
      const isEmpty = page.totals.queues === 0;
      setHidden(content, isEmpty);
      setHidden(empty, !isEmpty);
      if (isEmpty) return setContent(empty, '', firstJob);
      totals.update(statsOf(page.totals));
      tools.tell(page, filters);
      setHidden(rows.element, page.queues.length === 0);
      rows.update(page.queues);
      pages.update(cursor, page.next);
    },
  };
}

function showSort(th, sort, filters) {
  const isSorted = (filters.sort ?? 'name') === sort;
  setAttr(th, 'aria-sort', isSorted && (sort === 'name' ? 'ascending' : 'descending'));
  setAttr(th.firstChild, 'href', link([], { ...filters, cursor: '', sort: sort === 'name' ? '' : sort }));
}

function toolbar(currentFilters) {
  let timer = 0;
  const search = searchField('Search queues', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (search.isConnected) go(link([], { ...currentFilters(), cursor: '', search: search.value }), { replace: true });
    }, REST);
  });
  const sort = h('select.only-narrow', { 'aria-label': 'Sort by', onchange: () => {
    go(link([], { ...currentFilters(), cursor: '', sort: sort.value === 'name' ? '' : sort.value }));
  } }, COLUMNS.map((column) => column.sort && h('option', { value: column.sort }, column.label)));
  const found = h('p.said', { role: 'status' });
  const asOf = h('p.said');
  return {
    element: h('div.toolbar', { role: 'search' }, search, sort, found, asOf),
    show(filters) {
      if (document.activeElement !== search) search.value = filters.search ?? '';
      sort.value = filters.sort ?? 'name';
    },
    tell({ matching, as_of: at, totals }, filters) {
      const all = count(totals.queues, 'queue');
      const old = (now() - Date.parse(at)) / 1000;
      setText(found, filters.search ? `${number(matching)} of ${all} match` : all);
      setText(asOf, old > 15 ? `Order and totals as of ${duration(old)} ago` : '');
    },
  };
}

function statsOf({ queues, counts, rates }) {
  const big = (value) => ({ text: compact(value, 1000000), title: number(value) });
  return {
    queues: big(queues),
    ready: big(counts.ready),
    scheduled: big(counts.scheduled),
    active: big(counts.active),
    dead: { ...big(counts.dead), level: counts.dead > 0 && 'warm' },
    in: rate(rates.inserted),
    out: rate(rates.claimed),
  };
}

function nameCell(node, { queue }) {
  const marks = badgeList();
  let claimed;
  node.append(h('div.name', null, userText('a.row-link', queue, { href: queueLink(queue) }), marks.element));
  return (now) => {
    claimed = now.history?.claimed ?? claimed;
    marks.update(badges(now, now.paused, claimed));
  };
}

function sparkCell(node) {
  const spark = sparkline();
  node.append(spark.element);
  return ({ history }) => history && spark.update(history);
}

/** A second is a sixteenth of the bar, a day is all of it: what matters is the order of magnitude. */
function ageCell(node) {
  const age = node.appendChild(h('b.age'));
  const bar = node.appendChild(h('i.age-bar', { 'aria-hidden': 'true' }));
  return ({ oldest_ready_age: seconds }) => {
    setText(age, seconds === null ? '–' : duration(seconds));
    setAttr(node, 'data-level', ageLevel(seconds));
    const width = `${Math.round(Math.min(Math.log(1 + (seconds ?? 0)) / Math.log(86401), 1) * 100)}%`;
    if (bar.style.width !== width) bar.style.width = width;
  };
}

function firstJob() {
  const url = address(['queues', 'mail', 'jobs']);
  return h('div', null,
    h('h2', null, 'No queues yet'),
    h('p', null, 'A queue begins with its first job. Insert one from a shell, or with the form:'),
    commandBox(curlPost(url, '{"payload":{"to":"ann"}}', Boolean(currentKey()))),
    h('p', null, h('a.button', { href: link(['new'], { queue: 'mail' }) }, 'New job')));
}
