// The key that the page sends, and what it may do. The key is kept for this tab, until the tab is closed.

const STORED = 'presque-key';

let key = sessionStorage.getItem(STORED) ?? '';

/** What the server says of the key: `{scopes, queues}`. Null: it says nothing, so all is offered. */
let grant = null;

/** What the server has refused, where it says nothing beforehand: such actions are offered no more. */
const refused = new Set();

export function currentKey() {
  return key;
}

export function useKey(text) {
  key = text;
  grant = null;
  refused.clear();
  if (text) sessionStorage.setItem(STORED, text);
  else sessionStorage.removeItem(STORED);
}

export function setGrant(said) {
  grant = said;
}

export function noteRefusal(scope, queue) {
  refused.add(`${scope} ${queue ?? ''}`);
}

/** Whether to offer what needs the scope. Without a queue: whether there may be a queue for it. */
export function may(scope, queue) {
  if (refused.has(`${scope} ${queue ?? ''}`)) return false;
  if (!grant) return true;
  if (Array.isArray(grant.scopes) && !grant.scopes.includes(scope)) return false;
  if (queue === undefined || !Array.isArray(grant.queues)) return true;
  return grant.queues.some((pattern) => matches(pattern, queue));
}

/** Patterns are those of the list of keys: `*` stands for any characters, `?` for one. */
function matches(pattern, name) {
  const source = [...pattern].map((c) => (c === '*' ? '.*' : c === '?' ? '.' : c.replace(/[\\^$.|+()[\]{}/-]/, '\\$&')));
  return new RegExp(`^${source.join('')}$`, 'su').test(name);
}
