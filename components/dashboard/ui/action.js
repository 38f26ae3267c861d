// Buttons that change something: each works once at a time, says what came of it, and has the view look again.

import { button, setAttr } from './dom.js';
import { toast } from './toast.js';

/** A button that does `work()`, which gives the message of success, or null. */
export function actionButton(app, spec, label, work) {
  const element = button(spec, label, () => act(app, element, work));
  return element;
}

/** The buttons of all views that change many jobs: while one of them works, all are off. */
let bulk = [];
let isBusy = false;

export function bulkButton(app, spec, label, work) {
  const element = actionButton(app, spec, label, async () => {
    setBusy(true);
    try {
      return await work();
    } finally {
      setBusy(false);
    }
  });
  bulk.push(new WeakRef(element));
  setBusy(isBusy);
  return element;
}

function setBusy(is) {
  isBusy = is;
  bulk = bulk.filter((one) => one.deref());
  for (const one of bulk) setAttr(one.deref(), 'aria-disabled', is && 'true');
}

export async function act(app, pressed, work) {
  if (pressed.getAttribute('aria-disabled')) return;
  pressed.setAttribute('aria-disabled', 'true');
  try {
    const message = await work();
    if (message) toast('good', message);
  } catch (error) {
    if (error.status === 401) app.needKey();
    else toast('bad', error.message);
  } finally {
    pressed.removeAttribute('aria-disabled');
    app.refresh();
  }
}
