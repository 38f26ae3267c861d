// The key that the page sends, and what it may do. The key is kept for this tab, until the tab is closed.

const STORED = 'presque-key';

let key = sessionStorage.getItem(STORED) ?? '';

/** What the server says of the key. Null: it has said nothing yet, so all is offered. */
let grant = null;

export function currentKey() {
  return key;
}

export function useKey(text) {
  key = text;
  grant = null;
  if (text) sessionStorage.setItem(STORED, text);
  else sessionStorage.removeItem(STORED);
}

export function setGrant(said) {
  grant = said;
}

/** Whether to offer what needs the scope. A key that may see a queue has its scopes there. */
export function may(scope) {
  return !grant || grant.scopes.includes(scope);
}
