// The page's state as the part of its address after the #, so that a link leads to a setting.
import { decode, encode } from './settings.mjs';

export const MOST_PINS = 4;

/** What is shown of the runs, as words; and which words may stand there. */
export const VIEW = { log: '', kept: 'v', only: '', first: '1', second: '4' };
const WORDS = { log: /^true$/, kept: /^\w+$/, only: /^[0-5]$/, first: /^[0-5]$/, second: /^[0-5]$/ };

/** The address of some settings, the pinned runs, and a view. */
export function write(settings, pins, view) {
  const parts = new URLSearchParams(encode(settings));
  for (const run of pins) {
    parts.append('pin', encode(run.settings));
  }
  for (const key of Object.keys(VIEW).filter((each) => view[each] !== VIEW[each])) {
    parts.set(key, view[key]);
  }
  return parts.toString().replaceAll('%2C', ',');
}

/** The other way; null for an address that is a heading's. */
export function parse(text) {
  const given = new URLSearchParams(text);
  const word = (key) => (WORDS[key].test(given.get(key) ?? '') ? given.get(key) : VIEW[key]);
  const view = Object.fromEntries(Object.keys(VIEW).map((key) => [key, word(key)]));
  const pins = given.getAll('pin').slice(0, MOST_PINS).map(decode);
  return text && !text.includes('=') ? null : { settings: decode(text), pins, view };
}
