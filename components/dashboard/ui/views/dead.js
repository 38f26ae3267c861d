// Dead jobs: which errors they died of, and what to do with them.

import { actionButton } from '../action.js';
import { lastError, loadDead, reasonText, redrive, remove } from '../dead.js';
import { confirm } from '../dialog.js';
import { button, h, setAttr, setHidden, setText, setUserText } from '../dom.js';
import { count, jobLabel, number } from '../format.js';
import { may } from '../key.js';
import { queueLink } from '../router.js';
import { digits, listTable, text, when } from '../table.js';
import { jobColumn } from './jobs.js';

/** How many rows are shown at first, and how many more each time. */
const ROWS = 100;

/** The jobs are loaded again after so many milliseconds; if all are there, also when their number changes. */
const LOAD_EVERY = 30000;

const NO_ERROR = 'no error was told';

export function deadPanel(app, queue, query) {
  let filters = query;
  let loaded = { jobs: [], groups: [], isAll: true };
  let total = 0;
  let loadedAt = -Infinity;
  let shownRows = ROWS;
  const selected = new Set();

  const groups = groupTable(queue, () => filters.group);
  const selectAll = h('input', { type: 'checkbox', 'aria-label': 'Select all that are shown', onchange: () => {
    selected.clear();
    if (selectAll.checked) for (const { id } of shown()) selected.add(id);
    show();
  } });
  const jobs = jobTable(queue, selected, selectAll, () => show());
  const chosenText = h('span.chosen');
  const redriveButton = actionButton(app, 'button.button.primary', 'Redrive', { scope: 'admin', queue }, () => run(redriveChosen));
  const deleteButton = actionButton(app, 'button.button.danger-text', 'Delete…', { scope: 'admin', queue }, () => run(deleteChosen));
  const all = h('a.button.small', { href: queueLink(queue, { state: 'dead' }) }, 'All errors');
  const more = button('button.button', 'Show more', () => { shownRows += ROWS; show(); });
  const note = h('p.said');
  const empty = h('p.empty', { hidden: true }, 'No job of this queue is dead.');
  const content = h('div', null, groups.element,
    h('div.toolbar.choice', null, chosenText, all, h('div.actions', null, redriveButton, deleteButton)),
    jobs.element, h('div.actions', null, more), note);

  /** The group that the address names; all jobs if it is not there, or not any more. */
  const group = () => loaded.groups.find(({ id }) => id === filters.group);
  const inView = () => group()?.jobs ?? loaded.jobs;
  const shown = () => inView().slice(0, shownRows);

  /** What the buttons act on: what was ticked, else the group, else all that are dead. */
  function chosen() {
    if (selected.size) return { ids: [...selected], size: selected.size, name: 'selected' };
    if (group()) return { ids: group().jobs.map(({ id }) => id), size: group().jobs.length, name: 'with this error' };
    return { limit: total, size: total, name: 'in this queue' };
  }

  function showChoice() {
    const { size, name } = chosen();
    setText(chosenText, `${count(size, 'dead job')} ${name}`);
    setText(redriveButton, size > 1 ? `Redrive ${number(size)}` : 'Redrive');
    setText(deleteButton, size > 1 ? `Delete ${number(size)}…` : 'Delete…');
    for (const node of [redriveButton, deleteButton, jobs.heads[0]]) setHidden(node, !may('admin', queue));
    selectAll.checked = shown().length > 0 && shown().every(({ id }) => selected.has(id));
    selectAll.indeterminate = selected.size > 0 && !selectAll.checked;
  }

  function show() {
    const visible = inView();
    for (const id of selected) if (!visible.some((job) => job.id === id)) selected.delete(id);
    setHidden(empty, total > 0);
    setHidden(content, total === 0);
    groups.update(loaded.groups);
    setHidden(all, !group());
    jobs.update(shown());
    setHidden(more, visible.length <= shownRows);
    setText(note, loaded.isAll ? '' : `${number(total)} are dead. Of these, the ${number(loaded.jobs.length)} that will be forgotten first `
      + 'are shown and grouped.');
    showChoice();
  }

  async function run(work) {
    const message = await work(chosen());
    loadedAt = -Infinity;
    if (message) selected.clear();
    return message;
  }

  async function redriveChosen({ size, ...selection }) {
    const isSure = size <= 1 || await confirm({
      title: `Redrive ${count(size, 'dead job')}?`,
      text: 'They become ready again, as if they had never failed.',
      yes: 'Redrive',
    });
    return isSure ? redriveMessage(await redrive(queue, selection)) : null;
  }

  async function deleteChosen({ size, ...selection }) {
    const isSure = await confirm({
      title: `Delete ${count(size, 'dead job')}?`, text: 'They are forgotten. This cannot be undone.', yes: 'Delete', isDanger: true,
    });
    if (!isSure) return null;
    const { removed } = await remove(queue, selection);
    return `${count(removed, 'dead job')} deleted.`;
  }

  return {
    element: h('section', { 'aria-label': 'Dead jobs' }, content, empty),
    reroute(given) {
      filters = given;
      shownRows = ROWS;
      selected.clear();
      show();
    },
    async load(signal, { counts }) {
      const isOld = performance.now() - loadedAt > LOAD_EVERY;
      if (isOld || (loaded.isAll && counts.dead !== total)) {
        loaded = await loadDead(queue, signal);
        loadedAt = performance.now();
      }
      total = Math.max(counts.dead, loaded.jobs.length);
      show();
    },
  };
}

export function redriveMessage({ redriven, conflicts, unknown }) {
  const rest = [
    conflicts && `${number(conflicts)} stay dead, since other jobs hold their unique keys`,
    unknown && `${number(unknown)} were not dead any more`,
  ].filter(Boolean);
  return [`${count(redriven, 'job')} ready again`, ...rest].join('; ') + '.';
}

function groupTable(queue, currentGroup) {
  return listTable('Dead jobs by error', [
    { label: 'Error', spec: 'th.col-error', cell: (node, { id }) => {
      const name = node.appendChild(h('a.row-link.error-text', { href: queueLink(queue, { state: 'dead', group: id }), dir: 'auto' }));
      return ({ error }) => {
        setUserText(name, error || NO_ERROR);
        setAttr(node.parentNode, 'aria-current', id === currentGroup() && 'true');
      };
    } },
    text('Why dead', ({ reason }) => reasonText(reason)),
    digits('Jobs', ({ jobs }) => jobs.length),
    when('Newest', ({ jobs }) => jobs[0].ended_at),
    when('Oldest', ({ jobs }) => jobs.at(-1).ended_at),
  ], ({ id }) => id);
}

function jobTable(queue, selected, selectAll, onSelect) {
  return listTable('Dead jobs, the newest first', [
    { label: '', head: selectAll, spec: 'td.col-check', cell: (node, { id }) => {
      const check = node.appendChild(h('input', { type: 'checkbox', 'aria-label': `Select the job ${jobLabel(id)}`, onchange: () => {
        if (check.checked) selected.add(id);
        else selected.delete(id);
        onSelect();
      } }));
      return () => {
        check.checked = selected.has(id);
        setHidden(node, !may('admin', queue));
        setAttr(node.parentNode, 'data-selected', check.checked);
      };
    } },
    jobColumn(queue),
    text('Last error', (job) => lastError(job) || reasonText(job.reason), 'td.col-error.error-text'),
    digits('Failures', ({ failures }) => failures),
    digits('Leases lost', ({ lost_leases: lost }) => lost),
    when('Died', ({ ended_at: at }) => at),
  ], ({ id }) => id);
}
