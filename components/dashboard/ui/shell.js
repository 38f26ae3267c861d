// Commands for a shell, to be copied.

/** One argument may have 128 KiB on Linux. A character has up to three bytes. */
const MAX_ARGUMENT = 40000;

/** A text as one word of a POSIX shell. */
function quote(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A `curl` that posts the body; null if it is too long for one. The key is named and not shown: what is copied is pasted anywhere. */
export function curlPost(url, body, hasKey) {
  if (body.length > MAX_ARGUMENT) return null;
  const words = ['curl', quote(url), '-H', "'Content-Type: application/json'"];
  if (hasKey) words.push('-H', '"Authorization: Bearer $PRESQUE_KEY"');
  return `${words.join(' ')} --data-raw ${quote(body)}`;
}
