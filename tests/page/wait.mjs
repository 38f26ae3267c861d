// Waiting for something to become so.

import { setTimeout as pause } from 'node:timers/promises';

/** After so many milliseconds a case fails. Generous: the machine may be busy. */
export const PATIENCE = 30000;

/** Looks again and again until `look()` gives something true, and gives that. */
export async function eventually(what, look, patience = PATIENCE) {
  const start = performance.now();
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() - start > patience) throw new Error(`not so after ${patience} ms: ${what}`);
    await pause(20);
  }
}
