// What the server warns of, above every view. Looking writes a key into Redis, so it is done once a minute.

import { getHealth } from './api.js';
import { h, syncRows } from './dom.js';
import { Pace } from './poll.js';

export function createHealth() {
  const pace = new Pace(60000);
  const list = document.getElementById('banners').appendChild(h('div'));

  return {
    load: (signal) => pace.keep('', async () => {
      syncRows(list, await warnings(signal), ({ type, detail }) => type + detail, createBanner);
    }),
    /** With another key it may be seen, or not. */
    forget: () => pace.hurry(),
  };
}

/** A problem with the store is what an insert would get. Who may not look, or has lost touch, learns nothing here. */
async function warnings(signal) {
  try {
    return (await getHealth(signal)).warnings;
  } catch (error) {
    if (signal.aborted) throw error;
    return error.status >= 500 ? [{ type: 'store', detail: error.message }] : [];
  }
}

function createBanner({ type, detail }) {
  const element = h(`p.banner.${type === 'store' ? 'bad' : 'warn'}`, null, h('strong', null, 'Warning. '), detail);
  return { element, update() {} };
}
