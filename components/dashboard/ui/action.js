// Buttons that change something: each works once at a time, says what came of it, and has the view look again.

import { button } from './dom.js';
import { toast } from './toast.js';

/** A button that does `work()`, which gives the message of success, or null. */
export function actionButton(app, spec, label, work) {
  const element = button(spec, label, () => act(app, element, work));
  return element;
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
