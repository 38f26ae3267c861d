// The page: its frame, its routes, and the state of its connection.

import { getKey, Problem, Unreachable } from './api.js';
import { showHelp } from './dialog.js';
import { h, setAttr, setContent, setHidden, setText } from './dom.js';
import { timeOfDay } from './format.js';
import { createHealth } from './health.js';
import { listenToKeys } from './keyboard.js';
import { currentKey, may, setGrant, useKey } from './key.js';
import { Poller } from './poll.js';
import { parse } from './router.js';
import { refreshTimes } from './time.js';
import { keyForm, notice, problemNotice } from './views/notice.js';
import { insertView } from './views/insert.js';
import { jobView } from './views/job.js';
import { overviewView } from './views/overview.js';
import { queueView } from './views/queue.js';
import { settingsView } from './views/settings.js';
import { workersView } from './views/workers.js';

const $ = (id) => document.getElementById(id);
const main = $('main');
const banner = $('banners').appendChild(h('div'));

/** What a view may ask of the page. */
const app = {
  refresh: () => poller.now(),
  restart: () => poller.restart(),
  needKey: () => showKeyForm(),
};

const health = createHealth();
const poller = new Poller({ onGood, onBad });

let view = null;
let viewId = '';
let isGrantKnown = false;
let lastGood = null;

// Routes.

function viewOf({ path, query }) {
  const [first, queue, third, id] = path;
  if (path.length === 0) return overviewView(app, query);
  if (first === 'workers' && path.length === 1) return workersView(app, query);
  if (first === 'new' && path.length === 1) return insertView(app, query);
  if (first !== 'queues' || !queue) return null;
  if (path.length === 2) return queueView(app, queue, query);
  if (third === 'settings' && path.length === 3) return settingsView(app, queue);
  if (third === 'jobs' && path.length === 4) return jobView(app, queue, id);
  return null;
}

/** How far each place was scrolled when it was left. */
const scrolled = new Map();
let place = null;

/** A change of the filters alone leaves the view, its focus and its scroll position. */
function route() {
  const at = parse(location.hash);
  const id = JSON.stringify(at?.path ?? null);
  scrolled.set(place, window.scrollY);
  place = location.hash;
  if (view?.reroute && id === viewId) {
    view.reroute(at.query);
    poller.restart();
    return;
  }
  const isFirst = viewId === '';
  viewId = id;
  open(at && viewOf(at));
  window.scrollTo(0, 0);
  if (view) view.scrollTo = scrolled.get(place);
  if (!isFirst) main.querySelector('h1')?.focus({ preventScroll: true });
}

function open(next) {
  poller.stop();
  document.querySelector('dialog[open]')?.close();
  view = next;
  showNav();
  if (!next) return put(notice('There is no such page', 'The address is not one of this dashboard.'), 'no page');
  document.title = `${next.title} · presque`;
  next.element.classList.add('waiting');
  put(next.element, 'view');
  poller.start({ load, get pause() { return next.pause; } });
}

function showNav() {
  for (const link of document.querySelectorAll('[data-nav]')) {
    setAttr(link, 'aria-current', link.dataset.nav === view?.nav && 'page');
  }
  setHidden(document.querySelector('[data-nav="new"]'), !may('insert'));
  setHidden($('forget-key'), !currentKey());
}

// The connection.

async function load(signal) {
  if (!isGrantKnown) {
    setGrant(await getKey(signal));
    isGrantKnown = true;
    showNav();
  }
  await view.load(signal);
  await health.load(signal);
}

function onGood() {
  lastGood = new Date();
  view.isLoaded = true;
  view.element.classList.remove('waiting');
  setLive('live', 'Live');
  setBanner();
  document.body.classList.remove('stale');
  put(view.element, 'view');
  refreshTimes(main);
  if (view.scrollTo) window.scrollTo(0, view.scrollTo);
  view.scrollTo = null;
}

function onBad(error) {
  if (error.status === 401) return showKeyForm();
  if (error.status >= 400 && error.status < 500) {
    setLive('live', 'Live');
    return put(problemNotice(error), error.type + error.message);
  }
  if (!(error instanceof Problem || error instanceof Unreachable)) console.error(error);
  setLive('lost', 'Out of touch');
  const since = lastGood ? ` since ${timeOfDay(lastGood, true)}` : '';
  const rest = view.isLoaded ? ' What is shown is from then.' : '';
  setBanner(h('strong', null, `Out of touch${since}.`), ` ${error.message}${rest} Trying again.`);
  document.body.classList.toggle('stale', Boolean(view.isLoaded));
}

/** Shows the view, or what stands in its place. What stands there already is not touched. */
function put(element, id) {
  if (main.shown === id && (id !== 'view' || element.isConnected)) return;
  main.shown = id;
  main.replaceChildren(element);
}

function setLive(state, text) {
  setAttr($('live'), 'data-state', state);
  setText($('live-text'), text);
  setAttr($('live'), 'title', lastGood && `Last answer at ${timeOfDay(lastGood, true)}`);
}

function setBanner(...content) {
  setContent(banner, content.map((part) => part.textContent ?? part), () => content.length > 0 && h('p.banner.bad', null, content));
}

// The key.

function showKeyForm() {
  poller.stop();
  const isWrong = Boolean(currentKey());
  setLive('waiting', 'Key needed');
  setBanner();
  document.body.classList.remove('stale');
  put(keyForm(isWrong, changeKey), 'key' + Date.now());
  main.querySelector('input').focus();
}

function changeKey(text) {
  useKey(text);
  isGrantKnown = false;
  viewId = '';
  view = null;
  health.forget();
  route();
}

$('forget-key').addEventListener('click', () => changeKey(''));
$('help').addEventListener('click', showHelp);
$('skip').addEventListener('click', () => main.focus());
window.addEventListener('hashchange', route);
listenToKeys(() => view, app);
history.scrollRestoration = 'manual';
route();
