// Text that can be copied with one click.

import { button, h } from './dom.js';

export function copyButton(label, textOf) {
  const element = button('button.button.small', label, async () => {
    element.textContent = await copy(textOf()) ? 'Copied' : 'Cannot copy';
    setTimeout(() => { element.textContent = label; }, 2000);
  });
  return element;
}

/** A page without TLS has no clipboard to write to: there the old command does it. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h('textarea.hidden-text', { 'aria-hidden': 'true' });
    const before = document.activeElement;
    area.value = text;
    (before?.closest('dialog') ?? document.body).append(area);
    area.select();
    const isCopied = document.execCommand('copy');
    area.remove();
    before?.focus({ preventScroll: true });
    return isCopied;
  }
}

export function commandBox(text) {
  return h('div.command', null, h('code', { tabindex: '0' }, text), copyButton('Copy', () => text));
}
