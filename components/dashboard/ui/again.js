// A job as the request that makes it again.

import { findError } from './json.js';

/**
 * The options of a job, as texts of JSON by the names of an insert. Only a first run that is still to come has a `run_at`.
 */
export function optionsOf({ fields, raw }) {
  const options = {};
  const keep = (name) => { if (raw.has(name)) options[name] = raw.get(name); };
  if (fields.state === 'scheduled' && fields.attempt === 0) keep('run_at');
  if (fields.priority !== 4) keep('priority');
  for (const name of ['max_attempts', 'backoff', 'timeout']) keep(name);
  if (fields.expires_at) {
    options.expires_in = String((Date.parse(fields.expires_at) - Date.parse(fields.inserted_at)) / 1000);
  }
  keep('unique');
  keep('metadata');
  if (fields.metadata_text !== undefined) options.metadata = fields.metadata_text;
  return options;
}

/** The payload's text; null if it is not JSON, as the legacy dialects allow. */
export function payloadOf({ fields, raw }) {
  const text = fields.payload_text ?? raw.get('payload');
  return findError(text) ? null : text;
}

/** The body of an insert. All values are texts of JSON, and go as they are. */
export function insertBody(payload, options) {
  const parts = Object.entries({ payload, ...options }).map(([name, text]) => `${JSON.stringify(name)}:${text.trim()}`);
  return `{${parts.join(',')}}`;
}
