// Buttons that change something: each works once at a time, says what came of it, and has the view look again.

import { button } from './dom.js';
import { noteRefusal } from './key.js';
import { toast } from './toast.js';

/** A button that does `work()`, which gives the message of success, or null. A key needs the scope for the queue. */
export function actionButton(app, spec, label, needs, work) {
  const element = button(spec, label, () => act(app, element, needs, work));
  return element;
}

export async function act(app, pressed, needs, work) {
  if (pressed.getAttribute('aria-disabled')) return;
  pressed.setAttribute('aria-disabled', 'true');
  try {
    const message = await work();
    if (message) toast('good', message);
  } catch (error) {
    fail(app, error, needs);
  } finally {
    pressed.removeAttribute('aria-disabled');
    app.refresh();
  }
}

function fail(app, error, { scope, queue }) {
  if (error.status === 401) return app.needKey();
  if (error.type === 'scope-missing') noteRefusal(scope, queue);
  toast('bad', error.message);
}
