// What the page shows of its state: the settings, the runs in words, and the four views.
import { MOST_PINS, VIEW } from './address.mjs';
import { curvatureOf, edgesOf, histogram, keptOf } from './numbers.mjs';
import { asPython } from './python.mjs';
import { dataOf, FACTS } from './runs.mjs';
import { periodView, solve, whereabouts } from './periodic.mjs';
import { CHOICES, complete, LISTS, NUMBERS, names, PERIODIC, WEIGHTS, written } from './settings.mjs';
import { finalView, keepsView, lossView, pathPlot, pathView } from './views.mjs';
import { fixed, lineOf, ranks, verdict } from './words.mjs';

export const $ = (id) => document.getElementById(id);

/**
 * `run` is the last that is finished, `work` what leads from other `settings` to the next pictures, `isStale` whether
 * settings, pins or the view have changed since it began. `thousand`: losses of many seeds; `worker` trains them; `solved`: the paths
 * of the periodic problem; `typed`: the field being typed in; `news`: to be said.
 */
export const state = { settings: complete(), pins: [], frame: 0, typed: '', news: '' };
export const view = { ...VIEW };

/** The pixels of each view, as the browser last said. */
export const sizes = new Map();

export function showSettings() {
  const { settings } = state;
  for (const key of Object.keys(LISTS).filter((each) => each !== 'kept')) {
    // of which the view knows what there is
    $(key).value = view[key];
  }
  for (const key of Object.keys(CHOICES)) {
    $(key).value = settings[key] ?? Object.keys(CHOICES[key])[0];
    $(key).parentNode.hidden = settings[key] === undefined;
  }
  for (const key of Object.keys(NUMBERS)) {
    const value = settings[key] ?? view[key];
    const group = $(key)?.closest('.number'); // those further down are not there yet in the first picture
    if (group && value !== undefined) {
      showNumber(key, Number(value));
    }
    group?.toggleAttribute('hidden', value === undefined);
  }
}

/** A field keeps what a reader is typing; what has not changed is left alone, or it is laid out at each frame. */
function showNumber(key, value) {
  const [field, slider, text] = [$(key), $(`${key}-slider`), written(value)];
  if (state.typed !== key && field.getAttribute('aria-invalid') === 'true') {
    field.setAttribute('aria-invalid', false);
    $(key in PERIODIC ? 'period-problem' : 'problem').textContent = '';
  }
  if (state.typed !== key && field.value !== text) {
    field.value = text;
  }
  const away = NUMBERS[key].stops.map((stop) => Math.abs(stop - value));
  const nearest = away.indexOf(Math.min(...away));
  if (slider.valueAsNumber !== nearest || slider.getAttribute('aria-valuetext') !== text) {
    field.step = NUMBERS[key].whole ? 1 : 10 ** Math.floor(Math.log10(value || 1) - 1); // of its arrow keys
    slider.value = nearest;
    slider.setAttribute('aria-valuetext', text);
  }
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

/** The views, the first one first. */
const VIEWS = {
  'loss-view': (size, { floor }) =>
    lossView(size, { runs: shownRuns(), seeds: FACTS.seeds, floor, log: view.log !== '' }),
  'final-view': (size, { floor }) => finalView(size, { ...finals(floor), marks: marks(), floor }),
  'keeps-view': (size) => {
    const kept = keptOf(state.run, view.kept);
    $('kept').value = kept.choice;
    $('kept').parentNode.hidden = !kept.choice;
    return keepsView(size, kept, view.only);
  },
  'path-view': (size, { moments, weights, floor }) => {
    const pair = [Number(view.first), Number(view.second)];
    const pathOf = ({ kind, trace: { steps, p } }) => ({ kind, steps, at: (step, k) => p[6 * step + pair[k]] });
    const optimum = pair.map((k) => weights[k]);
    return pathView(pathPlotOf(size), {
      runs: shownRuns().map(pathOf),
      optimum,
      curvature: curvatureOf(moments, pair),
      floor,
    });
  },
  'period-view': (size) => {
    $('period-words').textContent = whereabouts(state.solved.paths);
    return periodView(size, state.solved.paths);
  },
};

/** The paths of the periodic problem, once its figure is near, and again where its numbers are others. */
export function* showPeriodic() {
  const numbers = Object.keys(PERIODIC).map((key) => Number(view[key]));
  const size = sizes.get('period-view');
  const of = JSON.stringify([numbers, size]);
  if (size && state.solved?.of !== of) {
    state.solved = { of, paths: yield* solve(numbers) };
    yield* showView('period-view');
  }
}

/** Draws a view; each of its four parts stands in a group of its own, which is left alone while it stays the same. */
export function* showView(id) {
  const groups = [...document.querySelectorAll(`#${id} .part`)];
  for (const part of VIEWS[id](sizes.get(id), dataOf(state.run.settings.rows))) {
    const [group, text] = [groups.shift(), [part].flat(9).join('')];
    if (group.drawn !== text) {
      group.drawn = group.innerHTML = text;
    }
    yield;
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

export const pathPlotOf = (size) => pathPlot(size, [WEIGHTS[view.first], WEIGHTS[view.second]]);

export const within = (value, [low, high]) => Math.max(low, Math.min(high, value));

/** The run's start: that of the settings, or else its seed's. */
export const startNow = () => Array.from(state.settings.start ?? state.run.trace.p.subarray(0, 6));

export function showHandle() {
  const { x, y, X, Y } = pathPlotOf(sizes.get('path-view'));
  const [across, up] = [startNow()[view.first], startNow()[view.second]];
  const handle = $('handle');
  handle.setAttribute('transform', `translate(${X(within(across, x.domain))} ${Y(within(up, y.domain))})`);
  handle.setAttribute('aria-valuenow', across.toFixed(2));
  handle.setAttribute('aria-valuetext', `${x.label} ${across.toFixed(2)}, ${y.label} ${up.toFixed(2)}`);
}
