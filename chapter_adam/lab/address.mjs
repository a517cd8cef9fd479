// The page's state as the part of its address after the #, so that a link leads to a setting.
import { decode, encode, isRead, LISTS, PERIODIC } from './settings.mjs';

export const MOST_PINS = 4;

/** What is shown beside the runs, as words. */
export const VIEW = { ...PERIODIC, ...Object.fromEntries(Object.keys(LISTS).map((key) => [key, LISTS[key][0]])) };

/** The address of some settings, the pinned runs, and a view. */
export function write(settings, pins, view) {
  const parts = new URLSearchParams(encode(settings));
  pins.forEach((run) => parts.append('pin', encode(run.settings)));
  for (const key of Object.keys(VIEW).filter((each) => view[each] !== VIEW[each])) {
    parts.set(key, view[key]);
  }
  return parts.toString().replaceAll('%2C', ',');
}

/** The other way, and what it `ignored`; null for an address that is a heading's. A view needs two weights. */
export function parse(text) {
  const given = new URLSearchParams(text);
  const word = (key) => (given.has(key) && isRead([key, given.get(key)]) ? given.get(key) : VIEW[key]);
  const view = Object.fromEntries(Object.keys(VIEW).map((key) => [key, word(key)]));
  if (view.first === view.second) {
    view.second = view.first === VIEW.second ? VIEW.first : VIEW.second;
  }
  const pins = given.getAll('pin').slice(0, MOST_PINS);
  const parts = [given, ...pins.map((pin) => new URLSearchParams(pin))].flatMap((each) => [...each]);
  const isKnown = ([key, value]) => key === 'pin' || value === '' || isRead([key, value]);
  const ignored = parts.filter((part) => !isKnown(part)).map((part) => part.join('='));
  return text && !text.includes('=') ? null : { settings: decode(text), pins: pins.map(decode), view, ignored };
}
