// One queue: how it does, why, and its jobs by state.

import { deleteQueue, getHistory, getQueue, listJobs, setPaused } from '../api.js';
import { actionButton, bulkButton } from '../action.js';
import { changeAll, messageOf } from '../bulk.js';
import { historyChart } from '../chart.js';
import { ageLevel, badges, diagnose } from '../diagnosis.js';
import { confirm } from '../dialog.js';
import { h, setAttr, setHidden, setText, userText } from '../dom.js';
import { compact, count, duration, now, number, rate } from '../format.js';
import { may } from '../key.js';
import { Pace } from '../poll.js';
import { link, queueLink } from '../router.js';
import { badgeList, crumbs, statRow } from '../pieces.js';
import { deadPanel } from './dead.js';
import { jobsPanel } from './jobs.js';

const STATES = ['ready', 'scheduled', 'active', 'dead', 'done', 'cancelled', 'all'];
const STATS = [
  ['age', 'Oldest ready'], ['in', 'Inserted / s'], ['out', 'Claimed / s'], ['done', 'Done / s'], ['failed', 'Failed / s'],
  ['workers', 'Workers'],
];

export function queueView(app, queue, query) {
  const header = queueHeader(app, queue);
  const diagnosis = h('p.diagnosis');
  const stats = statRow('How the queue does', STATS);
  const chart = historyChart();
  const tabs = stateTabs(queue);
  const place = h('div');
  const element = h('div.view', null, header.element, diagnosis, stats.element,
    h('section.card', { 'aria-label': 'History' }, chart.element), tabs.element, place);

  let panel = null;
  let state = '';
  let history = null;
  let active = [];

  /** The history changes once a minute. */
  const pace = new Pace(10000);

  const show = (given) => {
    const wanted = STATES.includes(given.state) ? given.state : 'ready';
    tabs.show(wanted);
    if (wanted === state) return panel.reroute(given);
    state = wanted;
    panel = state === 'dead' ? deadPanel(app, queue, given) : jobsPanel(app, queue, state, given);
    place.replaceChildren(panel.element);
    requestAnimationFrame(tabs.reveal);
  };
  show(query);

  return {
    element,
    title: queue,
    nav: 'overview',
    up: '#/',
    reroute: show,
    async load(signal) {
      const shown = panel;
      const current = await getQueue(queue, signal);
      current.counts.all = Object.values(current.counts).reduce((sum, n) => sum + n);
      header.update(current, history);
      stats.update(statsOf(current));
      tabs.update(current.counts);
      await shown.load(signal, current);
      await pace.keep('', async () => {
        history = await getHistory(queue, signal);
        active = await activeSample(current, signal);
        chart.update(history);
      });
      const { kind, text } = diagnose(current, history, active);
      setAttr(diagnosis, 'data-kind', kind);
      setText(diagnosis, text);
    },
  };
}

/** Who holds what tells why nothing moves; it is of no use while all moves. */
async function activeSample({ queue, counts, rates }, signal) {
  if (!counts.ready || !counts.active || rates.claimed > 0) return [];
  const { jobs } = await listJobs(queue, { state: 'active', limit: 100 }, signal);
  return jobs.map(({ fields }) => ({ ...fields, heldFor: (now() - Date.parse(fields.claimed_at)) / 1000 }));
}

function statsOf({ oldest_ready_age: age, rates, workers }) {
  return {
    age: age === null ? '–' : { text: duration(age), level: ageLevel(age) },
    in: rate(rates.inserted),
    out: rate(rates.claimed),
    done: rate(rates.done),
    failed: { text: rate(rates.failed), level: rates.failed > 0 && 'warm' },
    workers: { text: compact(workers), title: `${count(workers, 'named worker')} claimed in the last hour` },
  };
}

function queueHeader(app, queue) {
  const marks = badgeList();
  let isPaused = false;
  let counts = null;
  const pause = actionButton(app, 'button.button', 'Pause', () => turn(queue, !isPaused));
  const insert = h('a.button', { href: link(['new'], { queue }) }, 'New job');
  const settings = h('a.button', { href: link(['queues', queue, 'settings']) }, 'Settings');
  const empty = bulkButton(app, 'button.button.danger-text', 'Empty…', () => emptyQueue(queue, counts));
  const remove = actionButton(app, 'button.button.danger-text', 'Delete queue…', () => removeQueue(queue));
  return {
    element: h('header.head', null, crumbs(),
      h('div.head-row', null,
        h('div.head-title', null, userText('h1', queue, { tabindex: '-1' }), marks.element),
        h('div.actions', null, pause, insert, settings, empty, remove))),
    update(current, history) {
      isPaused = current.settings.paused;
      counts = current.counts;
      marks.update(badges(current, isPaused, history?.claimed));
      setText(pause, isPaused ? 'Resume' : 'Pause');
      setHidden(pause, !may('admin'));
      setHidden(empty, !may('admin') || counts.ready + counts.scheduled === 0);
      setHidden(remove, !may('admin'));
      setHidden(insert, !may('insert'));
    },
  };
}

async function turn(queue, paused) {
  const isSure = !paused || await confirm({
    title: 'Pause the queue?',
    text: 'Workers get no more jobs from it until you resume it. Those that have one can finish it. Jobs can still be inserted.',
    yes: 'Pause',
  });
  if (!isSure) return null;
  await setPaused(queue, paused);
  return paused ? 'The queue is paused.' : 'The queue hands out jobs again.';
}

async function emptyQueue(queue, { ready, scheduled }) {
  const isSure = await confirm({
    title: 'Empty the queue?',
    text: `${count(ready, 'ready job')} and ${count(scheduled, 'scheduled job')} are forgotten. This cannot be undone. Active jobs, `
      + 'those that have ended, and the settings stay.',
    yes: 'Empty the queue',
    isDanger: true,
    typed: queue,
  });
  return isSure ? messageOf('delete', await changeAll(queue, 'delete', [{ state: 'ready' }, { state: 'scheduled' }])) : null;
}

async function removeQueue(queue) {
  const isSure = await confirm({
    title: 'Delete the queue?',
    text: 'All its jobs, counts and settings are gone at once. This cannot be undone.',
    yes: 'Delete the queue',
    isDanger: true,
    typed: queue,
  });
  if (!isSure) return null;
  await deleteQueue(queue);
  location.hash = '#/';
  return 'The queue was deleted.';
}

function stateTabs(queue) {
  const links = STATES.map((state) => {
    const total = h('span.tab-count');
    return { state, total, element: h('a.tab', { href: queueLink(queue, { state }) }, h('span', null, state), total) };
  });
  const tabs = h('nav.tabs', { 'aria-label': 'Jobs by state' }, links.map((one) => one.element));
  return {
    element: tabs,
    show: (wanted) => links.forEach(({ state, element }) => setAttr(element, 'aria-current', state === wanted && 'page')),
    /** Where the tabs do not fit, the current one must be in sight. */
    reveal() {
      const { offsetLeft, offsetWidth } = tabs.querySelector('[aria-current]');
      tabs.scrollLeft = offsetLeft - tabs.offsetLeft - (tabs.offsetWidth - offsetWidth) / 2;
    },
    update: (counts) => links.forEach(({ state, total }) => {
      setText(total, compact(counts[state]));
      setAttr(total, 'title', number(counts[state]));
      setAttr(total, 'data-zero', counts[state] === 0);
    }),
  };
}
