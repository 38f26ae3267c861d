// The jobs of one state, a page at a time.

import { listJobs } from '../api.js';
import { h, setHidden, setText } from '../dom.js';
import { jobLabel } from '../format.js';
import { pager } from '../paging.js';
import { go, jobLink, queueLink } from '../router.js';
import { digits, listTable, text, when } from '../table.js';

const PAGE_SIZE = 50;

/** How much of a payload fits into a row. */
const PREVIEW = 240;

/** Pages with payloads may be large, so they are asked for less often. */
const PAUSE_WITH_PAYLOADS = 10000;

const INSERTED = when('Inserted', (job) => job.inserted_at);
const PRIORITY = digits('Priority', (job) => job.priority);
const ATTEMPTS = digits('Attempts', (job) => job.attempt);
const FAILURES = digits('Failures', (job) => job.failures);
const COLUMNS = {
  ready: [INSERTED, PRIORITY, ATTEMPTS, FAILURES],
  scheduled: [when('Due', (job) => job.run_at), INSERTED, PRIORITY, ATTEMPTS, FAILURES],
  active: [
    text('Worker', (job) => job.worker, 'td.who'),
    when('Since', (job) => job.claimed_at),
    when('Lease ends', (job) => job.lease_ends_at),
    digits('Attempt', (job) => job.attempt),
    digits('Leases lost', (job) => job.lost_leases),
  ],
  done: [when('Done', (job) => job.ended_at), INSERTED, ATTEMPTS, when('Kept until', (job) => job.kept_until)],
  cancelled: [when('Cancelled', (job) => job.ended_at), INSERTED, ATTEMPTS, when('Kept until', (job) => job.kept_until)],
};
const EMPTY = {
  ready: 'No job is ready: nothing waits for a worker.',
  scheduled: 'No job is scheduled for later.',
  active: 'No worker has a job of this queue now.',
  done: 'No done jobs are kept. The setting “retain” says for how long they are.',
  cancelled: 'No cancelled jobs are kept. The setting “retain” says for how long they are.',
};

export function jobsPanel(queue, state, query) {
  let filters = query;
  const toggle = h('input', { type: 'checkbox', onchange: () => {
    go(queueLink(queue, { ...filters, payloads: toggle.checked ? '1' : '' }), { replace: true });
  } });
  const rows = listTable(`Jobs that are ${state}`,
    [jobColumn(queue), ...COLUMNS[state], { label: 'Payload', spec: 'td.preview', cell: payloadCell }], ({ id }) => id);
  const pages = pager((cursor) => queueLink(queue, { ...filters, state, cursor }));
  const empty = h('p.empty', { hidden: true }, EMPTY[state]);
  const element = h('section', { 'aria-label': `Jobs that are ${state}` },
    rows.element, empty, h('div.below', null, h('label.check', null, toggle, ' Show payloads'), pages.element));

  const show = (given) => {
    filters = given;
    toggle.checked = given.payloads === '1';
    setHidden(rows.heads.at(-1), !toggle.checked);
  };
  show(query);

  return {
    element,
    get pause() { return toggle.checked ? PAUSE_WITH_PAYLOADS : undefined; },
    reroute: show,
    async load(signal) {
      const { cursor, payloads } = filters;
      const hasPayloads = payloads === '1';
      const page = await listJobs(queue, { state, limit: PAGE_SIZE, cursor, payload: hasPayloads || undefined }, signal);
      setHidden(rows.element, page.jobs.length === 0);
      setHidden(empty, page.jobs.length > 0);
      rows.update(page.jobs.map(({ fields, raw }) => ({ ...fields, raw })));
      pages.update(cursor, page.next);
    },
  };
}

/** The head of a job's row. */
export function jobColumn(queue) {
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

/** The payload's beginning, as it was written. */
function preview({ payload_text: text, raw }) {
  const whole = text ?? raw.get('payload');
  return whole.length > PREVIEW ? whole.slice(0, PREVIEW) + '…' : whole;
}
