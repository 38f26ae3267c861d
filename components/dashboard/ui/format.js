// Numbers, durations and times as people read them.

const plain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 });
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const twoPlaces = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const precise = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const clockSeconds = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** How far the server's clock is ahead of this one, in milliseconds. */
let ahead = 0;

/** Times are the server's. A `Date` header is exact to a second, so a small difference says nothing. */
export function learnClock(serverDate) {
  const at = Date.parse(serverDate);
  if (Number.isNaN(at)) return;
  const difference = at + 500 - Date.now();
  ahead = Math.abs(difference) > 1500 ? difference : 0;
}

export function now() {
  return Date.now() + ahead;
}

export function number(value) {
  return plain.format(value);
}

/** For narrow columns: 9,999 stays as it is, 1,234,567 is 1.2M. */
export function compact(value, from = 10000) {
  return value < from ? plain.format(value) : short.format(value);
}

/** Jobs per second. */
export function rate(value) {
  if (!value) return '0';
  if (value < 0.01) return '<' + twoPlaces.format(0.01);
  return value < 10 ? twoPlaces.format(value) : value < 1000 ? precise.format(value) : compact(Math.round(value));
}

export function count(value, one, many = one + 's') {
  return `${number(value)} ${value === 1 ? one : many}`;
}

const UNITS = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];

/** `0.4 s`, `12 s`, `4 min 12 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds) {
  if (seconds < 0) return '0 s';
  if (seconds < 10) return precise.format(Math.round(seconds * 10) / 10) + ' s';
  const whole = Math.round(seconds);
  const at = UNITS.findIndex(([, size]) => whole >= size);
  const [unit, size] = UNITS[at];
  const first = Math.floor(whole / size);
  const next = UNITS[at + 1];
  const rest = next && first < 100 ? Math.floor((whole % size) / next[1]) : 0;
  return `${number(first)} ${unit}` + (rest ? ` ${rest} ${next[0]}` : '');
}

export function ago(iso) {
  const seconds = Math.round((now() - Date.parse(iso)) / 1000);
  if (seconds === 0) return 'now';
  return seconds > 0 ? duration(seconds) + ' ago' : 'in ' + duration(-seconds);
}

export function absolute(iso) {
  return dateTime.format(new Date(iso));
}

export function timeOfDay(date, withSeconds = false) {
  return (withSeconds ? clockSeconds : clock).format(date);
}

const SIZES = [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]];

export function bytes(value) {
  const found = SIZES.find(([, size]) => value >= size);
  return found ? `${precise.format(value / found[1])} ${found[0]}` : count(value, 'byte');
}

/** A job's number in its queue, which begins its id. It is easier to say than the id. */
export function jobLabel(id) {
  return /^[0-9a-f]{24}$/.test(id) ? '#' + parseInt(id.slice(0, 12), 16) : id;
}
