// JSON as text. JSON.parse would turn 9007199254740993 into ...992, 1.0 into 1, and refuse 1e400: what people stored is shown
// and sent as they wrote it, so it is never parsed, only cut and indented.

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\x00-\x1f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER_OR_WORD = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![\w.+-])/y;

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

const NAME = 'a name in double quotes';

/** The first error of a text that should be JSON: `{at, line, column, message}`; null if it is JSON. */
export function findError(text) {
  // Nesting has no limit here, so the open brackets are kept in a list and not on the stack.
  const open = [];
  let wants = 'a value';
  let at = matchEnd(SPACE, text, 0);
  while (at < text.length || wants !== 'the end') {
    const [end, next] = step(text, at, wants, open);
    if (end < 0) return describe(text, at, wants);
    wants = next ?? (open.length ? `a comma or ${open.at(-1)}` : 'the end');
    at = matchEnd(SPACE, text, end);
  }
  return null;
}

/** Takes one token. Gives where it ends, -1 if it cannot stand there, and what must come next, if that is no comma. */
function step(text, at, wants, open) {
  const c = text[at];
  if (c !== undefined && c === open.at(-1) && wants.endsWith(` or ${c}`)) return open.pop(), [at + 1];
  if (wants.startsWith('a value')) {
    if (c === '{') return open.push('}'), [at + 1, `${NAME} or }`];
    if (c === '[') return open.push(']'), [at + 1, 'a value or ]'];
    return [Math.max(matchEnd(STRING, text, at), matchEnd(NUMBER_OR_WORD, text, at))];
  }
  if (wants.startsWith(NAME)) return [matchEnd(STRING, text, at), 'a colon'];
  if (wants === 'a colon') return [c === ':' ? at + 1 : -1, 'a value'];
  return [c === ',' && open.length ? at + 1 : -1, open.at(-1) === '}' ? NAME : 'a value'];
}

function describe(text, at, wants) {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = [...before.slice(before.lastIndexOf('\n') + 1)].length + 1;
  const isString = text[at] === '"' && /^a (value|name)/.test(wants);
  const message = isString
    ? 'this string has no end, or a character in it that must be escaped'
    : `${wants} must stand here, not ${named(text, at)}`;
  return { at, line, column, message };
}

function named(text, at) {
  const c = text.codePointAt(at);
  return c === undefined ? 'the end' : JSON.stringify(String.fromCodePoint(c));
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
