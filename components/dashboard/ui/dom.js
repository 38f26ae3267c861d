// Building and changing the page. What came from outside goes in as text and as attributes, never as markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An element: `h('td.num', {title: 'x', onclick: f}, 'text', node)`. Props that are null or false are left out. */
export function h(spec, props, ...children) {
  return fill(document.createElement(spec.split('.', 1)[0]), spec, props, children);
}

export function s(spec, props, ...children) {
  return fill(document.createElementNS(SVG, spec.split('.', 1)[0]), spec, props, children);
}

function fill(node, spec, props, children) {
  const classes = spec.split('.').slice(1).join(' ');
  if (classes) node.setAttribute('class', classes);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else setAttr(node, name, value);
  }
  node.append(...children.flat(2).filter((child) => (child ?? false) !== false));
  return node;
}

/** What somebody wrote, in whatever direction its script runs. The title tells the whole of what is cut off. */
export function userText(spec, text, props) {
  return h(spec, { dir: 'auto', title: text, ...props }, text);
}

// The setters below leave alone what is right already: a node that is not touched keeps its selection and focus.

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setUserText(node, text) {
  setText(node, text);
  setAttr(node, 'title', text);
}

export function setAttr(node, name, value) {
  if ((value ?? false) === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else {
    const text = value === true ? '' : String(value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

export function setHidden(node, hidden) {
  setAttr(node, 'hidden', Boolean(hidden));
}

/** Builds the content anew only when what it is built from has changed. */
export function setContent(parent, key, build) {
  const text = JSON.stringify(key);
  if (parent.contentKey === text) return;
  parent.contentKey = text;
  parent.replaceChildren(...[build()].flat().filter(Boolean));
}

/**
 * Makes the children of `parent` one row for each item. A row stays the same element for as long as its key is there.
 * `create(item)` gives `{element, update(item)}`.
 */
export function syncRows(parent, items, keyOf, create) {
  const keys = new Set(items.map(keyOf));
  const rows = new Map();
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  let focusedAt = -1;
  [...parent.children].forEach((element, i) => {
    if (element.contains(focused)) focusedAt = i;
    if (keys.has(element.rowKey)) rows.set(element.rowKey, element);
    else element.remove();
  });
  let next = parent.firstElementChild;
  for (const item of items) {
    const element = rows.get(keyOf(item)) ?? newRow(item, keyOf, create);
    element.update(item);
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
  if (focused) keepFocus(parent, focused, focusedAt);
}

function newRow(item, keyOf, create) {
  const row = create(item);
  return Object.assign(row.element, { rowKey: keyOf(item), update: row.update });
}

/** An element that was moved or removed has lost the focus. */
function keepFocus(parent, focused, at) {
  if (document.activeElement === focused) return;
  if (focused.isConnected) return focused.focus({ preventScroll: true });
  const row = parent.children[Math.min(at, parent.children.length - 1)];
  (row?.querySelector('.row-link') ?? document.getElementById('main')).focus({ preventScroll: true });
}

export function button(spec, label, onclick, props) {
  return h(spec, { type: 'button', onclick, ...props }, label);
}
