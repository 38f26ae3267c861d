// Keeps a view fresh: asks, waits, asks again. One question at a time, and none while nobody looks.

/** How long to wait after failures, in milliseconds. */
const AFTER_FAILURES = [2000, 2000, 4000, 8000];

export class Poller {
  /** `onGood()` after each success, `onBad(error)` after each failure. */
  constructor({ onGood, onBad }) {
    this.onGood = onGood;
    this.onBad = onBad;
    this.view = null;
    document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(this.timer) : this.now()));
    window.addEventListener('online', () => this.now());
  }

  /** From now on `view.load(signal)` is called every `view.pause` milliseconds. */
  start(view) {
    this.stop();
    this.view = view;
    this.failures = 0;
    this.now();
  }

  stop() {
    clearTimeout(this.timer);
    this.running?.abort();
    this.running = null;
    this.view = null;
  }

  /** Asks at once. If a question is under way, its answer may be too old: then another one follows. */
  now() {
    clearTimeout(this.timer);
    if (this.running) this.isAgain = true;
    else if (this.view) this.ask();
  }

  /** What is asked for now is not wanted any more, as when a filter was changed. */
  restart() {
    this.running?.abort();
    this.running = null;
    this.now();
  }

  async ask() {
    const view = this.view;
    const running = (this.running = new AbortController());
    this.isAgain = false;
    let failed = null;
    try {
      await view.load(running.signal);
    } catch (error) {
      failed = error;
    }
    if (this.running !== running) return;
    this.running = null;
    this.failures = failed ? this.failures + 1 : 0;
    if (failed) this.onBad(failed);
    else this.onGood();
    if (this.view === view) this.schedule();
  }

  schedule() {
    if (this.isAgain) return this.now();
    if (document.hidden) return;
    const pause = this.failures ? AFTER_FAILURES[Math.min(this.failures, AFTER_FAILURES.length) - 1] : 0;
    this.timer = setTimeout(() => this.now(), Math.max(pause, this.view.pause ?? 2000));
  }
}

/** For what costs more than the rest of a view: it is asked for a twentieth of the time at most. */
export class Pace {
  /** What has not changed is asked for again after so many milliseconds. */
  constructor(every = 0) {
    this.every = every;
    this.hurry();
  }

  hurry() {
    this.dueAt = -Infinity;
    this.key = undefined;
  }

  /** Does the work if it is due. A new `key` tells that something has changed. */
  async keep(key, work) {
    const start = performance.now();
    if (start < this.dueAt || (key === this.key && start < this.staleAt)) return;
    await work();
    const end = performance.now();
    Object.assign(this, { key, dueAt: end + 20 * (end - start), staleAt: end + this.every });
  }
}
