// Commands for a shell, to be copied.

/** One argument may have 128 KiB on Linux. A character has up to three bytes. */
const MAX_ARGUMENT = 40000;

/** A text as one word of a POSIX shell. */
export function quote(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A `curl` that posts the body. The key is named and not shown: what is copied is pasted anywhere. */
export function curlPost(url, body, { headers = [], hasKey = false } = {}) {
  const words = ['curl', quote(url), '-H', "'Content-Type: application/json'"];
  if (hasKey) words.push('-H', '"Authorization: Bearer $PRESQUE_KEY"');
  for (const [name, value] of headers) words.push('-H', quote(`${name}: ${value}`));
  if (body.length <= MAX_ARGUMENT) return `${words.join(' ')} --data-raw ${quote(body)}`;
  const end = endMark(body);
  return `${words.join(' ')} --data-binary @- <<'${end}'\n${body}\n${end}`;
}

/** A line that the body does not have. */
function endMark(body) {
  const lines = new Set(body.split('\n'));
  let mark = 'END';
  while (lines.has(mark)) mark += '_';
  return mark;
}
