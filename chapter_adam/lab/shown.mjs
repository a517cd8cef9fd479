// What the page shows of its state: the settings, the runs in words, and the four views.
import { MOST_PINS, VIEW } from './address.mjs';
import { curvatureOf, edgesOf, histogram, keptOf } from './numbers.mjs';
import { asPython } from './python.mjs';
import { dataOf, FACTS } from './runs.mjs';
import { applies, CHOICES, complete, NUMBERS, names, written } from './settings.mjs';
import { finalView, keepsView, lossView, pathPlot, pathView, WEIGHTS } from './views.mjs';
import { fixed, lineOf, ranks, verdict } from './words.mjs';

export const $ = (id) => document.getElementById(id);

/** `thousand`: losses of many seeds; `worker` trains them; `typed`: the field being typed in; `news`: to be said. */
export const state = { settings: complete(), pins: [], frame: 0, typed: '', news: '' };
export const view = { ...VIEW };

/** The pixels of each view, as the browser last said. */
export const sizes = new Map();

export function showSettings() {
  const { settings } = state;
  for (const key of Object.keys(VIEW)) {
    $(key).value = view[key];
  }
  for (const key of Object.keys(CHOICES)) {
    $(key).value = settings[key] ?? Object.keys(CHOICES[key])[0];
    $(key).disabled = !applies(key, settings.rule);
  }
  for (const key of Object.keys(NUMBERS)) {
    $(key).closest('.number').hidden = !applies(key, settings.rule);
    if (settings[key] !== undefined) {
      showNumber(key, settings[key]);
    }
  }
}

/** A field keeps what a reader is typing. */
function showNumber(key, value) {
  if (state.typed !== key) {
    $(key).value = written(value);
    $(key).setAttribute('aria-invalid', false);
  }
  $(key).step = NUMBERS[key].whole ? 1 : 10 ** Math.floor(Math.log10(value || 1) - 1); // of its arrow keys
  const away = NUMBERS[key].stops.map((stop) => Math.abs(stop - value));
  $(`${key}-slider`).value = away.indexOf(Math.min(...away));
  $(`${key}-slider`).setAttribute('aria-valuetext', written(value));
}

/** The run of the settings first, then the pinned ones, each with the class of its colour. */
const shownRuns = () => [state.run, ...state.pins].map((run, k) => ({ ...run, kind: k ? `pin${k}` : 'now' }));

export function showRuns() {
  $('line').textContent = lineOf(state.run);
  $('verdict').textContent = verdict(state.run);
  $('ranks').textContent = ranks(state.run, state.thousand);
  $('python').querySelector('pre').textContent = asPython(state.settings);
  const runs = shownRuns();
  const called = names(runs.map((run) => run.settings));
  const items = runs.map(({ kind, diverged, finalLoss }, k) => {
    const unpin = `<button type="button" data-unpin="${k}" aria-label="Unpin ${called[k]}">×</button>`;
    return `<li class="${kind}">${called[k]}: ${diverged === null ? fixed(finalLoss, 4) : 'diverged'}${k ? unpin : ''}</li>`;
  });
  $('runs').innerHTML = items.join('');
  $('pin').setAttribute('aria-disabled', state.pins.length === MOST_PINS);
}

export function showViews() {
  const { loss: floor } = dataOf(state.settings.rows);
  put('loss-view', (size) => lossView(size, { runs: shownRuns(), seeds: FACTS.seeds, floor, log: view.log !== '' }));
  put('final-view', (size) => finalView(size, { ...finals(floor), marks: marks(), floor }));
  const kept = keptOf(state.run, view.kept);
  $('kept').value = kept.choice;
  $('kept').parentNode.hidden = !kept.choice;
  put('keeps-view', (size) => keepsView(size, kept, view.only));
  put('path-view', (size) => showPath(size, floor));
}

const drawn = new Map();

/** Draws a view; each of its four parts stands in a group of its own, which is left alone while it stays the same. */
function put(id, picture) {
  const groups = $(id).querySelectorAll('.part');
  const parts = sizes.has(id) ? picture(sizes.get(id)) : [];
  for (const [k, part] of parts.entries()) {
    const text = [part].flat(9).join('');
    if (drawn.get(groups[k]) !== text) {
      drawn.set(groups[k], text);
      groups[k].innerHTML = text;
    }
  }
}

/** The bars: the seeds trained here, in the bins of figures/seeds.json where the settings are the section's. */
function finals(floor) {
  const { edges, scratch } = FACTS.seeds.histogram;
  if (!state.thousand) {
    return { counts: scratch, edges };
  }
  const { of, losses } = state.thousand;
  const bins = of && losses.length ? edgesOf(losses, floor) : edges;
  return { counts: histogram(losses, bins), edges: bins };
}

const marks = () => [
  { loss: state.run.finalLoss, name: 'this run', kind: 'now' },
  { loss: FACTS.seeds.book.scratch.loss, name: 'the book, from scratch', kind: 'book' },
  { loss: FACTS.seeds.book.gluon.loss, name: 'the book, Gluon', kind: 'book' },
];

function showPath(size, floor) {
  const pair = [Number(view.first), Number(view.second)];
  const pick = (values) => pair.map((k) => values[k]);
  const { data, weights } = dataOf(state.settings.rows);
  const on = pathPlot(size, pick(WEIGHTS));
  moveHandle(on, pick(state.run.trace.p));
  const at = (trace) => (step, k) => trace.p[6 * step + pair[k]];
  const runs = shownRuns().map(({ trace, kind }) => ({ kind, steps: trace.steps, at: at(trace) }));
  return pathView(on, { runs, optimum: pick(weights), curvature: curvatureOf(data, pair), floor });
}

export const within = (value, [low, high]) => Math.max(low, Math.min(high, value));

function moveHandle({ x, y, X, Y }, [across, up]) {
  const handle = $('handle');
  handle.setAttribute('transform', `translate(${X(within(across, x.domain))} ${Y(within(up, y.domain))})`);
  handle.setAttribute('aria-valuenow', across.toFixed(2));
  handle.setAttribute('aria-valuetext', `${x.label} ${across.toFixed(2)}, ${y.label} ${up.toFixed(2)}`);
}
