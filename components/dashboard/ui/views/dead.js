// Dead jobs: which errors they died of, and the jobs.

import { loadGroups, reasonText } from '../dead.js';
import { h, setAttr, setHidden, setText, setUserText } from '../dom.js';
import { number } from '../format.js';
import { queueLink } from '../router.js';
import { digits, listTable, text, when } from '../table.js';
import { Pace } from '../poll.js';
import { jobsPanel } from './jobs.js';

const NO_ERROR = 'no error was told';

export function deadPanel(app, queue, query) {
  let filters = query;
  let groups = [];
  const pace = new Pace(30000);
  const table = groupTable(queue, ({ reason, group }) => reason === filters.reason && group === filters.group);
  const note = h('p.said', { role: 'status' });
  const jobs = jobsPanel(app, queue, 'dead', query, () => pace.hurry());
  const section = h('div.groups', null, table.element, note);

  const show = () => {
    setHidden(section, groups.length === 0);
    table.update(groups);
  };

  return {
    element: h('div', null, section, jobs.element),
    reroute(given) {
      filters = given;
      jobs.reroute(given);
      show();
    },
    async load(signal, current) {
      await jobs.load(signal, current);
      await pace.keep(current.counts.dead, () => loadGroups(queue, signal, (all, lookedAt, left) => {
        setText(note, left ? `${number(lookedAt)} of ${number(lookedAt + left)} dead jobs are grouped …` : '');
        if (left && groups.length > all.length) return;
        groups = all;
        show();
      }));
    },
  };
}

function groupTable(queue, isCurrent) {
  return listTable('Dead jobs by error', [
    { label: 'Error', spec: 'th.col-error', cell: (node, { reason, group }) => {
      const name = node.appendChild(h('a.row-link.error-text', { href: queueLink(queue, { state: 'dead', reason, group }), dir: 'auto' }));
      return (one) => {
        setUserText(name, one.newest.error || NO_ERROR);
        setAttr(node.parentNode, 'aria-current', isCurrent(one) && 'true');
      };
    } },
    text('Why dead', ({ reason }) => reasonText(reason)),
    digits('Jobs', ({ jobs }) => jobs),
    when('Newest', ({ newest }) => newest.ended_at),
    when('Oldest', ({ oldest_ended_at: at }) => at),
  ], ({ key }) => key);
}
