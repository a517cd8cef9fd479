// The section's training, beside its twin `chapter_adam/core/`: minibatches, records, and whole runs.
//
// Data are {X, y, moments}: `X` row by row and `y`, standardised, as float32; `moments` is mean(u u') / 2 for the rows
// u = (x, 1, y), a square matrix of D + 2, row by row.
import { Generator } from './random.mjs';
import { RULES } from './rules.mjs';

const { fround } = Math;

/** The section's settings. A rule's own hyperparameters, such as beta1, stand beside them; RULES has their defaults. */
// prettier-ignore
export const DEFAULTS = {
  rule: 'adam', lr: 0.01, batchSize: 10, epochs: 2, seed: 0, rows: 1503, recordEvery: 100,
  divideLastBy: 'own', correction: 'both', epsPlace: 'outside', firstT: 1, schedule: 'constant', start: undefined,
};

/** The learning rate of step t of `steps`, from the first one; as in `chapter_adam/exercises/decay.py`. */
export const SCHEDULES = {
  constant: (first) => first,
  '1/sqrt(t)': (first, t) => first / Math.sqrt(t),
  cosine: (first, t, steps) => (first * (1 + Math.cos((Math.PI * (t - 1)) / steps))) / 2,
  '1/t': (first, t) => first / t,
};

const D = 5; // features; a run has as many weights, and the bias after them

/** The loss over all examples, mean((X w + b - y)^2) / 2, as a quadratic form: 49 products, not 1503 rows. */
function lossAt({ moments }, p) {
  const u = [...p, -1];
  const product = (row) => u.reduce((sum, value, at) => sum + value * moments[row * u.length + at], 0);
  return u.reduce((loss, value, row) => loss + value * product(row), 0);
}

/**
 * g <- the gradient of the loss on the minibatch `order[start..stop)`, its sum divided by `divisor`.
 *
 * It is rounded to float32 where Python's is. On all rows the bias's gradient is little more than this rounding, since
 * every column has mean 0; and of that Adam makes a whole step. MXNet sums it with Kahan's compensation, so it is here.
 */
function gradient({ X, y }, order, start, stop, divisor, p, g) {
  const part = fround(1 / divisor);
  let sum = 0;
  let excess = 0; // of `sum`, from its rounding
  g.fill(0);
  for (let at = start; at < stop; at++) {
    const row = order[at] * D;
    let output = 0;
    for (let k = 0; k < D; k++) {
      output = fround(output + X[row + k] * p[k]);
    }
    const share = fround(fround(fround(output + p[D]) - y[order[at]]) * part);
    for (let k = 0; k < D; k++) {
      g[k] += share * X[row + k];
    }
    const term = fround(share - excess);
    const next = fround(sum + term);
    excess = fround(fround(next - sum) - term);
    sum = next;
  }
  g[D] = sum;
}

/**
 * One run: {epochs, losses, finalLoss, diverged, weights, trace}. It yields after each epoch, for who has no time left.
 *
 * `settings` are DEFAULTS where they say nothing else; `start`, six numbers, replaces the start that the seed gives.
 * The loss is recorded where the number of examples seen crosses a multiple of `recordEvery`. In the last epoch, once
 * less than a minibatch is left, it is recorded at the end instead.
 * epochs, losses: when the loss was recorded, and the loss. diverged: the step at which its sum over the rows was no
 * finite number in float32 any more, or null; then the run ends there and `finalLoss` is NaN. weights: the last, the bias at the end.
 * trace, if asked for: see `traceOf`.
 */
export function* training(data, settings, isTraced) {
  const all = { ...DEFAULTS, ...RULES[settings.rule ?? DEFAULTS.rule].defaults, ...settings };
  const n = data.y.length;
  const [rule, schedule, firstRate] = [RULES[all.rule], SCHEDULES[all.schedule], all.lr];
  const steps = all.epochs * Math.ceil(n / all.batchSize);
  const generator = new Generator(all.seed);
  const drawn = [...generator.normal(0, 0.01, D), 0];
  const p = Float32Array.from(all.start ?? drawn);
  const g = new Float64Array(D + 1);
  const states = rule.states.map(() => new Float64Array(D + 1));
  const [epochs, losses] = [[], []];
  const trace = isTraced ? traceOf(rule.states, steps) : null;

  let t = 0;
  const record = (at) => {
    const loss = lossAt(data, p);
    if (!Number.isFinite(fround(loss * n))) {
      return false;
    }
    epochs.push(at);
    losses.push(loss);
    return true;
  };
  trace?.add(0, p, states);
  let goesOn = record(0);
  for (let epoch = 0; epoch < all.epochs && goesOn; epoch++) {
    const order = generator.permutation(n);
    for (let start = 0; start < n && goesOn; start += all.batchSize) {
      const stop = Math.min(start + all.batchSize, n);
      gradient(data, order, start, stop, all.divideLastBy === 'full' ? all.batchSize : stop - start, p, g);
      all.lr = schedule(firstRate, ++t, steps);
      rule.step(p, g, states, all, t);
      trace?.add(t, p, states, all.lr);
      const isEnding = epoch === all.epochs - 1 && stop > n - all.batchSize;
      if (isEnding ? stop === n : (epoch * n + stop) % all.recordEvery < stop - start) {
        goesOn = record(epoch + stop / n);
      }
    }
    yield;
  }
  const [diverged, finalLoss] = goesOn ? [null, losses.at(-1)] : [t, NaN];
  return { epochs, losses, diverged, finalLoss, weights: Float64Array.from(p), trace };
}

/**
 * Room for everything that a run keeps: `p`, and each array of `states` by its name, hold six numbers for each step,
 * those before the first step first; `rates` holds the learning rate of each of the `steps`, from index 1 on.
 */
function traceOf(names, steps) {
  const [p, ...kept] = [0, ...names].map(() => new Float64Array((steps + 1) * (D + 1)));
  const rates = new Float64Array(steps + 1);
  const add = (t, nowP, nowKept, rate) => {
    for (let k = 0; k <= D; k++) {
      p[t * (D + 1) + k] = nowP[k]; // from float32, `set` is slow
    }
    kept.forEach((array, k) => array.set(nowKept[k], t * (D + 1)));
    rates[t] = rate;
    trace.steps = t;
  };
  const trace = { names, p, states: Object.fromEntries(names.map((name, k) => [name, kept[k]])), rates, add };
  return trace;
}

export const train = (data, settings, isTraced) => runToEnd(training(data, settings, isTraced));

/** Runs a generator to its end; returns what that returns. */
export function runToEnd(work) {
  let piece = work.next();
  while (!piece.done) {
    piece = work.next();
  }
  return piece.value;
}
