// What can be set: its limits, its place in the address, its name beside a curve. settings.json has the words.
import { RULES } from './rules.mjs';
import TABLE from './settings.json' with { type: 'json' };
import { DEFAULTS } from './training.mjs';

/**
 * NUMBERS: the name of each, the limits of what may be typed, the stops of the slider. CHOICES: for every value its text
 * in the list, and then what a run with it is called. LISTS: how runs are shown, the usual value first. PERIODIC: the
 * numbers of exercise `divergence`, which belong to no run. CELLS: Python code, the names of values in braces.
 */
export const { NUMBERS, CHOICES, LISTS, PERIODIC, WEIGHTS, CELLS } = TABLE;
const ADAMS_OWN = ['correction', 'epsPlace', 'firstT'];
const KEYS = [...Object.keys(CHOICES), ...Object.keys(NUMBERS), ...Object.keys(LISTS), 'start'];

export const hyperparameters = (rule) => Object.keys(RULES[rule].defaults);

/** Whether a setting has an effect on a rule. */
function applies(key, rule) {
  if (key === 'lr' || key === 'schedule') {
    return rule !== 'adadelta';
  }
  return ADAMS_OWN.includes(key) ? rule === 'adam' : key in DEFAULTS || hyperparameters(rule).includes(key);
}

/** Every setting of a run that has an effect; what is not given is the section's. */
export function complete(given = {}) {
  const rule = given.rule ?? DEFAULTS.rule;
  const value = (key) => given[key] ?? RULES[rule].defaults[key] ?? DEFAULTS[key];
  return Object.fromEntries(KEYS.filter((key) => applies(key, rule)).map((key) => [key, value(key)]));
}

/** The settings once another rule is chosen: it brings its own hyperparameters. */
export function withRule(settings, rule) {
  const others = Object.entries(settings).filter(([key]) => key in DEFAULTS);
  return complete({ ...Object.fromEntries(others), rule });
}

/** A setting's value from text, or undefined if it is none. */
export function read(key, text) {
  if (key in CHOICES) {
    const number = typeof DEFAULTS[key] === 'number';
    return Object.hasOwn(CHOICES[key], text) ? (number ? Number(text) : text) : undefined;
  }
  if (key in LISTS) {
    return LISTS[key].includes(text) ? text : undefined;
  }
  if (key === 'start') {
    const start = text.split(',').map((word) => (word.trim() ? Number(word) : Number.NaN));
    return start.length === 6 && start.every((value) => Math.abs(value) <= 100) ? start : undefined;
  }
  const { least, most, whole } = NUMBERS[key];
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return value >= least && value <= most && (!whole || Number.isInteger(value)) ? value : undefined;
}

/** A number as it stands in a field and beside a curve: 1e-6, not 0.000001. */
export const written = (value) => (value > 0 && value < 1e-3 ? value.toExponential() : String(value));

/** What a number must be, for the reader who typed another. */
export const limits = (key) =>
  `${NUMBERS[key].name}: a ${NUMBERS[key].whole ? 'whole ' : ''}number from ${written(NUMBERS[key].least)} to ${NUMBERS[key].most}.`;

/** The settings that differ from the section's, as the address holds them. */
export function encode(settings) {
  const usual = { ...complete({ rule: settings.rule }), rule: DEFAULTS.rule };
  const parts = Object.entries(settings).filter(([key, value]) => value !== undefined && value !== usual[key]);
  return new URLSearchParams(parts.map(([key, value]) => [key, String(value)])).toString().replaceAll('%2C', ',');
}

export const isRead = ([key, word]) => KEYS.includes(key) && read(key, word) !== undefined;

/** The settings that a text in the form of `encode` names; what it does not understand is left out. */
export function decode(text) {
  const known = [...new URLSearchParams(text)].filter(isRead);
  return complete(Object.fromEntries(known.map(([key, word]) => [key, read(key, word)])));
}

/** A name for each of some runs, made of what differs among them; a rule's own defaults go without saying. */
export function names(runs) {
  const usual = runs.map(({ rule }) => complete({ rule }));
  const isUsual = (key) => key !== 'rule' && runs.every((run, k) => String(run[key]) === String(usual[k][key]));
  const differs = (key) => new Set(runs.map((run) => String(run[key]))).size > 1 && !isUsual(key);
  const keys = KEYS.filter(differs);
  const words = (run) => keys.filter((key) => run[key] !== undefined).map((key) => called(key, run[key]));
  return runs.map((run) => words(run).join(', ') || called('rule', run.rule));
}

function called(key, value) {
  if (key === 'start') {
    return 'another start';
  }
  return key in CHOICES ? CHOICES[key][value].at(-1) : `${NUMBERS[key].name} ${written(value)}`;
}
