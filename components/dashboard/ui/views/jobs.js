// The jobs of one state or of all, a page at a time; or those that are searched for. What is ticked, or found, can be changed.

import { listJobs } from '../api.js';
import { bulkButton } from '../action.js';
import { askAndChange, VERBS } from '../bulk.js';
import { ENDED, lastError, reasonText } from '../dead.js';
import { button, h, setAttr, setHidden, setText } from '../dom.js';
import { count, jobLabel, number } from '../format.js';
import { may } from '../key.js';
import { pager } from '../paging.js';
import { Pace } from '../poll.js';
import { go, jobLink, queueLink } from '../router.js';
import { filterOf, find, searchForm } from '../search.js';
import { digits, listTable, text, when } from '../table.js';

const PAGE_SIZE = 50;

/** At how many jobs a call looks. A search of more is not repeated by itself. */
const SLICE = 1000;

/** How much of a payload fits into a row. */
const PREVIEW = 240;

const INSERTED = when('Inserted', (job) => job.inserted_at);
const PRIORITY = digits('Priority', (job) => job.priority);
const ATTEMPTS = digits('Attempts', (job) => job.attempt);
const FAILURES = digits('Failures', (job) => job.failures);
const LEASES_LOST = digits('Leases lost', (job) => job.lost_leases);
const KEPT = when('Kept until', (job) => job.kept_until);
const COLUMNS = {
  all: [text('State', (job) => job.state), INSERTED, PRIORITY, ATTEMPTS, FAILURES],
  ready: [INSERTED, PRIORITY, ATTEMPTS, FAILURES],
  scheduled: [when('Due', (job) => job.run_at), INSERTED, PRIORITY, ATTEMPTS, FAILURES],
  active: [
    text('Worker', (job) => job.worker, 'td.who'),
    when('Since', (job) => job.claimed_at),
    when('Lease ends', (job) => job.lease_ends_at),
    digits('Attempt', (job) => job.attempt),
    LEASES_LOST,
  ],
  dead: [
    text('Last error', (job) => lastError(job) || reasonText(job.reason), 'td.col-error.error-text'),
    FAILURES, LEASES_LOST, when('Died', (job) => job.ended_at),
  ],
  done: [when('Done', (job) => job.ended_at), INSERTED, ATTEMPTS, KEPT],
  cancelled: [when('Cancelled', (job) => job.ended_at), INSERTED, ATTEMPTS, KEPT],
};
const RETAIN = 'The setting “retain” says for how long they are.';
const EMPTY = {
  all: 'This queue has no jobs.',
  ready: 'No job is ready: nothing waits for a worker.',
  scheduled: 'No job is scheduled for later.',
  active: 'No worker has a job of this queue now.',
  dead: 'No job of this queue is dead.',
  done: `No done jobs are kept. ${RETAIN}`,
  cancelled: `No cancelled jobs are kept. ${RETAIN}`,
};

export function jobsPanel(app, queue, state, query, onChange = () => {}) {
  let filters = query;
  let filter = null;
  let total = 0;
  let found = { jobs: [] };
  let isStopped = false;
  let isLong = false;
  let isOffered = false;
  const pace = new Pace();
  const selected = new Set();
  const named = state === 'all' ? 'job' : `${state} job`;

  const to = (change) => queueLink(queue, { ...filters, cursor: '', ...change });
  const form = searchForm((search) => {
    again();
    go(to(search));
    app.refresh();
  });
  const said = h('span.said', { role: 'status' });
  const stop = button('button.button.small', 'Stop', () => { isStopped = true; }, { hidden: true });
  const all = h('a.button.small', { href: queueLink(queue, { state }) }, 'Show all');
  const toggle = h('input', { type: 'checkbox', onchange: () => {
    go(to({ cursor: filters.cursor, payloads: toggle.checked ? '1' : '' }), { replace: true });
  } });
  const rows = listTable(`Jobs: ${state}`, [
    checkColumn(selected, () => isOffered, showChoice),
    jobColumn(queue), ...COLUMNS[state], { label: 'Payload', spec: 'td.preview', cell: payloadCell },
  ], ({ id }) => id);
  const chosenText = h('span.chosen');
  const buttons = Object.keys(VERBS).filter((verb) => VERBS[verb].states.includes(state)).map((verb) => ({
    verb,
    element: bulkButton(app, `button.button.${verb === 'redrive' ? 'primary' : VERBS[verb].isDanger ? 'danger-text' : 'plain'}`, '', () => run(verb)),
  }));
  const choice = h('div.toolbar', null, chosenText, h('div.actions', null, buttons.map(({ element }) => element)));
  const pages = pager((cursor) => to({ state, cursor }));
  const empty = h('p.empty');
  const tools = h('div.toolbar', null, form.element, said, stop, all);
  const element = h('section', { 'aria-label': `Jobs: ${state}` }, tools, choice,
    rows.element, empty, h('div.below', null, h('label.check', null, toggle, ' Show payloads'), pages.element));

  /** What the buttons act on: what was ticked, else what was searched for, else all. */
  function chosen() {
    if (selected.size) return { filter: { ids: [...selected] }, size: selected.size, text: `${count(selected.size, named)} selected` };
    const isWhole = filter && !found.next && !filters.cursor;
    const size = filter ? (isWhole ? found.jobs.length : undefined) : total;
    const what = size === undefined ? `all ${named}s` : count(size, named);
    return { filter: { ...filter, state }, size, text: filter ? `${what} that match${size === 1 ? 'es' : ''}` : `${what} in this queue` };
  }

  function showChoice() {
    const { size, text: what } = chosen();
    isOffered = state !== 'all' && size !== 0 && may('admin');
    setHidden(choice, !isOffered);
    setText(chosenText, what[0].toUpperCase() + what.slice(1));
    for (const { verb, element } of buttons) {
      const { label, isDanger } = VERBS[verb];
      // What is not asked for in any way must not be gone with one wrong click: for that there is “Empty”.
      setHidden(element, isDanger && !ENDED.includes(state) && !selected.size && !filter);
      setText(element, [label, size === undefined ? ' all' : size > 1 && ` ${number(size)}`, isDanger && '…'].filter(Boolean).join(''));
    }
    setHidden(rows.heads[0], !isOffered);
    rows.update(found.jobs);
  }

  async function run(verb) {
    const { filter: of, text: what } = chosen();
    try {
      const message = await askAndChange(queue, verb, of, what);
      if (message) selected.clear();
      return message;
    } finally {
      again();
      onChange();
    }
  }

  function show(page) {
    found = { ...page, jobs: page.jobs.map(({ fields, raw }) => ({ ...fields, raw })) };
    const isEmpty = found.jobs.length === 0;
    for (const id of selected) if (!found.jobs.some((job) => job.id === id)) selected.delete(id);
    setHidden(tools, isEmpty && !filter);
    setHidden(rows.element, isEmpty);
    setHidden(empty, !isEmpty || (filter && found.next));
    setText(empty, filter ? 'No job matches.' : EMPTY[state]);
    pages.update(filters.cursor, found.next);
    showChoice();
  }

  /** The next look is at once, and at all. */
  function again() {
    isStopped = isLong = false;
    pace.hurry();
  }

  async function search(signal, payload) {
    const body = { ...filter, state: state === 'all' ? undefined : state, cursor: filters.cursor || undefined, payload };
    const goOn = (sofar) => {
      if (sofar.next) {
        show(sofar);
        setText(said, lookText(sofar, '…'));
        setHidden(stop, false);
      }
      return !isStopped;
    };
    try {
      const page = await find(queue, body, PAGE_SIZE, signal, goOn);
      show(page);
      setText(said, filter?.ids ? '' : lookText(page, isStopped ? 'Stopped.' : ''));
      isLong = isStopped || page.lookedAt > SLICE;
    } catch (error) {
      // What cannot be searched for is told where it was typed.
      if (error.status !== 400 && error.status !== 422) throw error;
      show({ jobs: [] });
      setText(said, error.message);
    } finally {
      setHidden(stop, true);
    }
  }

  async function list(signal, payload) {
    const order = ENDED.includes(state) ? 'newest' : undefined;
    show(await listJobs(queue, { state, limit: PAGE_SIZE, cursor: filters.cursor, order, payload }, signal));
  }

  function reroute(given) {
    filters = given;
    filter = filterOf(given);
    found = { jobs: [] };
    selected.clear();
    again();
    toggle.checked = given.payloads === '1';
    form.show(given);
    setHidden(rows.heads.at(-1), !toggle.checked || filter?.ids);
    setHidden(all, !filter);
    setText(said, '');
  }
  reroute(query);

  return {
    element,
    reroute,
    async load(signal, { counts }) {
      total = counts[state];
      const payload = toggle.checked || undefined;
      if (isLong) return;
      await pace.keep('', () => (filter || state === 'all' ? search(signal, payload) : list(signal, payload)));
    },
  };
}

function lookText({ lookedAt, left, passedOver }, end) {
  const old = passedOver ? ` newest; ${number(passedOver)} older ones are not searched` : '';
  return `Looked at ${number(lookedAt)} of ${number(lookedAt + left)}${old} ${end}`.trim();
}

function checkColumn(selected, isOffered, onSelect) {
  return { label: '', head: h('span.hidden-text', null, 'Select'), spec: 'td.col-check', cell: (node, { id }) => {
    const check = node.appendChild(h('input', { type: 'checkbox', 'aria-label': `Select the job ${jobLabel(id)}`, onchange: () => {
      if (check.checked) selected.add(id);
      else selected.delete(id);
      onSelect();
    } }));
    return () => {
      check.checked = selected.has(id);
      setHidden(node, !isOffered());
      setAttr(node.parentNode, 'data-selected', check.checked);
    };
  } };
}

function jobColumn(queue) {
  return { label: 'Job', spec: 'th.col-job', cell: (node, { id }) => {
    node.append(h('a.row-link', { href: jobLink(queue, id), title: id }, jobLabel(id)));
  } };
}

function payloadCell(node) {
  const code = node.appendChild(h('code', { dir: 'auto' }));
  return (job) => {
    setHidden(node, !job.raw);
    if (job.raw) setText(code, preview(job));
  };
}

function preview({ payload_text: text, raw }) {
  const whole = text ?? raw.get('payload');
  return whole.length > PREVIEW ? whole.slice(0, PREVIEW) + '…' : whole;
}
