// JSON as text. JSON.parse would turn 9007199254740993 into ...992, 1.0 into 1, and refuse 1e400: what people stored is shown
// and sent as they wrote it, so it is never parsed, only cut and indented.

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

function matchEnd(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** The end of the string that begins at `start`, behind its quote. */
function stringEnd(text, start) {
  for (let at = start + 1; ;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let slash = quote;
    while (text[slash - 1] === '\\') slash -= 1;
    if ((quote - slash) % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

// What is wrong with a text.

class Wrong {
  constructor(at, message) {
    this.at = at;
    this.message = message;
  }
}

/** The first error of a text that should be JSON: `{at, line, column, message}`; null if it is JSON. */
export function findError(text) {
  try {
    checkText(text);
    return null;
  } catch (wrong) {
    if (!(wrong instanceof Wrong)) throw wrong;
    const before = text.slice(0, wrong.at);
    const line = before.split('\n').length;
    const column = [...before.slice(before.lastIndexOf('\n') + 1)].length + 1;
    return { at: wrong.at, line, column, message: wrong.message };
  }
}

/** Nesting has no limit here, so the open brackets are kept in a list and not on the stack. */
function checkText(text) {
  const open = [];
  let at = matchEnd(SPACE, text, 0);
  let wants = 'value';
  while (wants !== 'end') {
    [at, wants] = checkStep(text, at, wants, open);
    at = matchEnd(SPACE, text, at);
  }
  if (at < text.length) throw new Wrong(at, `nothing may follow the value, but here is ${named(text, at)}`);
}

/** Takes one token. Gives where it ends and what must come next. */
function checkStep(text, at, wants, open) {
  const c = text[at];
  switch (wants) {
    case 'value':
    case 'value or ]':
      if (c === '{') return open.push('}'), [at + 1, 'name or }'];
      if (c === '[') return open.push(']'), [at + 1, 'value or ]'];
      if (c === ']' && wants === 'value or ]') return closed(at, open);
      return [checkScalar(text, at), after(open)];
    case 'name':
    case 'name or }':
      if (c === '}' && wants === 'name or }') return closed(at, open);
      if (c !== '"') throw new Wrong(at, `a name in double quotes must stand here, not ${named(text, at)}`);
      return [checkString(text, at), 'colon'];
    case 'colon':
      if (c !== ':') throw new Wrong(at, `a colon must follow the name, not ${named(text, at)}`);
      return [at + 1, 'value'];
    default:
      if (c === open.at(-1)) return closed(at, open);
      if (c !== ',') throw new Wrong(at, `a comma or ${open.at(-1)} must stand here, not ${named(text, at)}`);
      return [at + 1, open.at(-1) === '}' ? 'name' : 'value'];
  }
}

function closed(at, open) {
  open.pop();
  return [at + 1, after(open)];
}

function after(open) {
  return open.length ? 'comma' : 'end';
}

function checkScalar(text, at) {
  if (text[at] === '"') return checkString(text, at);
  const end = Math.max(matchEnd(NUMBER, text, at), matchEnd(WORD, text, at));
  if (end < 0) throw new Wrong(at, `a value must stand here, not ${named(text, at)}`);
  const glued = /[\w.+-]/.test(text[end] ?? '');
  if (glued) throw new Wrong(end, `${text.slice(at, end)} must not be followed by ${named(text, end)}`);
  return end;
}

function checkString(text, start) {
  for (let at = start + 1; at < text.length;) {
    const c = text[at];
    if (c === '"') return at + 1;
    if (c < ' ') throw new Wrong(at, `a string cannot have ${named(text, at)} in it: write it as an escape`);
    if (c === '\\') {
      const end = matchEnd(ESCAPE, text, at);
      if (end < 0) throw new Wrong(at, `${text.slice(at, at + 2)} is no escape of JSON`);
      at = end;
    } else {
      at += 1;
    }
  }
  throw new Wrong(start, 'this string has no end');
}

function named(text, at) {
  const c = text.codePointAt(at);
  if (c === undefined) return 'the end';
  if (c === 10) return 'a line break';
  const isVisible = c > 0x20 && c !== 0xa0 && c !== 0xfeff && !(c >= 0x2000 && c <= 0x200f);
  return isVisible ? String.fromCodePoint(c) : 'U+' + c.toString(16).toUpperCase().padStart(4, '0');
}

// Cutting. The text is known to be JSON.

/** The tokens as `[start, end]`. */
function* tokens(text) {
  for (let at = matchEnd(SPACE, text, 0); at < text.length; at = matchEnd(SPACE, text, at)) {
    const start = at;
    if (text[at] === '"') at = stringEnd(text, at);
    else if ('{}[],:'.includes(text[at])) at += 1;
    else at = matchEnd(/[^\s{}[\],:"]+/y, text, at);
    yield [start, at];
  }
}

/** The texts of the values at the top of an object or a list, each with its name or null. */
function* parts(text) {
  let depth = 0;
  let name = null;
  let value = null;
  let last = 0;
  for (const [start, end] of tokens(text)) {
    const c = text[start];
    const isEnd = depth === 1 && (c === ',' || c === '}' || c === ']');
    if (isEnd && value !== null) {
      yield [name, text.slice(value, last)];
      value = name = null;
    } else if (depth === 1 && c === ':' && name === null) {
      name = JSON.parse(text.slice(value, last));
      value = null;
    } else if (depth >= 1 && value === null && !isEnd) {
      value = start;
    }
    if (c === '{' || c === '[') depth += 1;
    if (c === '}' || c === ']') depth -= 1;
    last = end;
  }
}

/** The members of an object, as a map from the name to the value's text. */
export function members(text) {
  return new Map(parts(text));
}

/** The texts of a list's items. */
export function items(text) {
  return [...parts(text)].map(([, value]) => value);
}

/** The text indented, in pieces `[kind, text]`: `key`, `string`, `number`, `word`, and `mark` for what is between. */
export function* pretty(text) {
  let depth = 0;
  let previous = '';
  for (const [start, end] of tokens(text)) {
    const token = text.slice(start, end);
    const closes = token === '}' || token === ']';
    if (closes) depth -= 1;
    const isEmpty = closes && (previous === '{' || previous === '[');
    const breaks = closes ? !isEmpty : previous === ',' || previous === '{' || previous === '[';
    if (breaks) yield ['mark', '\n' + '  '.repeat(Math.min(depth, 100))];
    yield [kindOf(text, token, end), token === ':' ? ': ' : token];
    if (token === '{' || token === '[') depth += 1;
    previous = token;
  }
}

function kindOf(text, token, end) {
  const c = token[0];
  if (c === '"') return text[matchEnd(SPACE, text, end)] === ':' ? 'key' : 'string';
  if ('{}[],:'.includes(c)) return 'mark';
  return c === '-' || (c >= '0' && c <= '9') ? 'number' : 'word';
}
