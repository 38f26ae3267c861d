// Drawings of numbers over time, as SVG.

import { h, s, setAttr, setText } from './dom.js';
import { absolute, compact, duration, number, timeOfDay } from './format.js';
import { listTable } from './table.js';

// The small one of a table's row.

const SPARK_WIDTH = 120;
const SPARK_HEIGHT = 28;

function sparkPoints(values, max) {
  const step = SPARK_WIDTH / Math.max(values.length - 1, 1);
  const y = (value) => SPARK_HEIGHT - 1 - (max ? (value / max) * (SPARK_HEIGHT - 3) : 0);
  return values.map((value, i) => `${(i * step).toFixed(1)} ${y(value).toFixed(1)}`);
}

/** What was inserted as an area, and what was claimed as a line before it. */
export function sparkline() {
  const area = s('path.spark-area');
  const line = s('path.spark-line');
  const element = s('svg.spark', { viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`, preserveAspectRatio: 'none', role: 'img' }, area, line);
  const total = (values) => number(values.reduce((sum, n) => sum + n, 0));
  return {
    element,
    /** The minute that still runs, the last, is left out: it would always look like a fall. */
    update(history) {
      const [inserted, claimed] = [history.inserted.slice(0, -1), history.claimed.slice(0, -1)];
      const max = Math.max(...inserted, ...claimed);
      const floor = SPARK_HEIGHT - 1;
      setAttr(area, 'd', `M0 ${floor}L${sparkPoints(inserted, max).join('L')}L${SPARK_WIDTH} ${floor}Z`);
      setAttr(line, 'd', `M${sparkPoints(claimed, max).join('L')}`);
      setAttr(element, 'data-zero', max === 0);
      setAttr(element, 'aria-label', `In the last hour ${total(inserted)} inserted and ${total(claimed)} claimed`);
    },
  };
}

// The history of a queue.

const SERIES = [
  { name: 'inserted', label: 'Inserted' },
  { name: 'claimed', label: 'Claimed' },
  { name: 'done', label: 'Done' },
  { name: 'failed', label: 'Failed' },
];
const AGE = { name: 'oldest_ready_age', label: 'Oldest ready' };
const COLUMNS = [...SERIES, { name: 'lost_leases', label: 'Leases lost' }, { name: 'dead', label: 'Died' }, AGE];

const TOP = { y: 10, height: 112 };
const BOTTOM = { y: 142, height: 40 };
const HEIGHT = 204;
const LEFT = 46;
const RIGHT = 10;

const show = (name, value) => (name === AGE.name ? (value === null ? '–' : duration(value)) : number(value ?? 0));

/** `{element, update(history)}`: two panels over one axis of time, a legend that tells the values, and a table. */
export function historyChart() {
  const svg = s('svg.history', { height: HEIGHT, 'aria-hidden': 'true' });
  const legend = createLegend();
  const stage = h('div.chart-stage', null, svg);
  const asTable = historyTable();
  const element = h('figure.chart', null, legend.element, stage, asTable.element);
  let history = null;
  let picked = null;

  const redraw = () => history && draw(svg, stage.clientWidth, history, picked);
  const pick = (index) => {
    picked = index;
    legend.update(history, picked);
    redraw();
  };
  new ResizeObserver(redraw).observe(stage);
  stage.addEventListener('pointermove', (event) => history && pick(indexAt(event.clientX - stage.getBoundingClientRect().left, stage.clientWidth, history)));
  stage.addEventListener('pointerleave', () => history && pick(null));

  return {
    element,
    update(given) {
      history = given;
      if (picked !== null && picked >= history.inserted.length) picked = null;
      legend.update(history, picked);
      asTable.update(history);
      redraw();
    },
  };
}

function createLegend() {
  const at = h('span.legend-time');
  const values = [...SERIES, AGE].map(({ name, label }) => {
    const value = h('b');
    return { name, value, element: h('span.legend-item', null, h(`i.swatch.${name}`, { 'aria-hidden': 'true' }), `${label} `, value) };
  });
  const element = h('figcaption.legend', null, values.map((one) => one.element), at);
  return {
    element,
    /** Without a minute picked, it tells the last whole one. */
    update(history, picked) {
      const index = picked ?? Math.max(history.inserted.length - 2, 0);
      setText(at, `a minute, at ${timeOfDay(timeAt(history, index))}`);
      for (const { name, value } of values) setText(value, show(name, history[name][index]));
    },
  };
}

function timeAt({ from, step }, index) {
  return new Date(Date.parse(from) + index * step * 1000);
}

function indexAt(x, width, { inserted }) {
  const share = (x - LEFT) / (width - LEFT - RIGHT);
  return Math.round(Math.min(Math.max(share, 0), 1) * (inserted.length - 1));
}

function draw(svg, width, history, picked) {
  if (width < 80) return;
  const size = history.inserted.length;
  const x = (i) => LEFT + (i / Math.max(size - 1, 1)) * (width - LEFT - RIGHT);
  const rates = panel(TOP, niceMax(Math.max(4, ...SERIES.flatMap(({ name }) => history[name]))));
  const ages = panel(BOTTOM, niceAge(Math.max(10, ...history[AGE.name].map((age) => age ?? 0))));
  const nodes = [
    ...grid(rates, width, [0, 0.5, 1], compact),
    ...grid(ages, width, [0, 1], duration),
    ...timeAxis(history, x, width),
    s('path.area.age', { d: areaPath(history[AGE.name], x, ages) }),
    s('path.line.age', { d: linePath(history[AGE.name], x, ages, 0, size) }),
    ...SERIES.filter(({ name }) => name === 'inserted' || history[name].some((value) => value > 0)).flatMap(({ name }) => [
      s(`path.line.${name}`, { d: linePath(history[name], x, rates, 0, size - 1) }),
      // The minute that still runs has not all its jobs yet.
      s(`path.line.running.${name}`, { d: linePath(history[name], x, rates, Math.max(size - 2, 0), size) }),
    ]),
    picked !== null && s('path.cursor', { d: `M${x(picked).toFixed(1)} ${TOP.y}V${BOTTOM.y + BOTTOM.height}` }),
  ];
  setAttr(svg, 'width', width);
  svg.replaceChildren(...nodes.filter(Boolean));
}

function panel({ y, height }, max) {
  return { top: y, bottom: y + height, max, at: (value) => y + height - (value / max) * height };
}

/** 2, 4, 6, 10, 20, …: the half is a whole number, too. */
function niceMax(value) {
  const ten = 10 ** Math.floor(Math.log10(value));
  return ten * [1, 2, 4, 6, 10].find((factor) => factor * ten >= value);
}

const AGES = [10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400];

function niceAge(seconds) {
  return AGES.find((age) => age >= seconds) ?? Math.ceil(seconds / 86400) * 86400;
}

function grid(panel, width, shares, format) {
  return shares.flatMap((share) => {
    const y = Math.round(panel.at(share * panel.max)) + 0.5;
    return [
      s('path.grid', { d: `M${LEFT} ${y}H${width - RIGHT}` }),
      s('text.tick.end', { x: LEFT - 8, y: y + 4 }, format(share * panel.max)),
    ];
  });
}

function timeAxis(history, x, width) {
  const every = width < 520 ? 60 : 30;
  return history.inserted.flatMap((_, i) => {
    const at = timeAt(history, i);
    const isTick = at.getMinutes() % every === 0 && x(i) > LEFT + 16 && x(i) < width - RIGHT - 16;
    return isTick ? [s('text.tick.middle', { x: x(i), y: HEIGHT - 4 }, timeOfDay(at))] : [];
  });
}

/** The pen is lifted where there is no value. */
function linePath(values, x, panel, from, to) {
  let isDown = false;
  let path = '';
  for (let i = from; i < to; i += 1) {
    const value = values[i];
    if (value !== null) path += `${isDown ? 'L' : 'M'}${x(i).toFixed(1)} ${panel.at(value).toFixed(1)}`;
    isDown = value !== null;
  }
  return path;
}

function areaPath(values, x, panel) {
  const points = values.map((value, i) => `${x(i).toFixed(1)} ${panel.at(value ?? 0).toFixed(1)}`);
  return `M${x(0).toFixed(1)} ${panel.bottom}L${points.join('L')}L${x(values.length - 1).toFixed(1)} ${panel.bottom}Z`;
}

/** The same as a table, for those who cannot see it. Its rows are made when it is opened. */
function historyTable() {
  const minute = { label: 'Minute', spec: 'th', cell: (node) => ({ at }) => {
    setText(node, timeOfDay(at));
    setAttr(node, 'title', absolute(at));
  } };
  const table = listTable('History, by minute', [minute, ...COLUMNS.map(({ name, label }) => (
    { label, spec: 'td.num', cell: (node) => ({ history, index }) => setText(node, show(name, history[name][index])) }
  ))], ({ at }) => at.getTime());
  const element = h('details.chart-table', null, h('summary', null, 'Show as a table'), table.element);
  let history = null;
  const fill = () => {
    if (!element.open || !history) return;
    table.update(history.inserted.map((_, index) => ({ history, index, at: timeAt(history, index) })).reverse());
  };
  element.addEventListener('toggle', fill);
  return { element, update(given) { history = given; fill(); } };
}
