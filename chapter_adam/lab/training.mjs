// The section's training, beside its twin `chapter_adam/core/`: the data, minibatches, records, and whole runs.
import { Generator } from './random.mjs';
import { RULES } from './rules.mjs';

const { fround } = Math;

/** The section's settings. A rule's own hyperparameters, such as beta1, stand beside them; RULES has their defaults. */
// prettier-ignore
export const DEFAULTS = {
  rule: 'adam', lr: 0.01, batchSize: 10, epochs: 2, seed: 0, rows: 1503, recordEvery: 100,
  divideLastBy: 'own', correction: 'both', epsPlace: 'outside', firstT: 1,
};

const COLUMNS = 6; // of the data file, the label last

/**
 * The data as they are trained on: {X, y, n, d, moments}, X row by row.
 *
 * Each column of `raw`, the label too, gets mean 0 and population standard deviation 1 over all its rows; the first
 * `rows` of them are kept, as float32. `moments` is what `lossAt` needs.
 */
export function prepare(raw, rows = raw.length / COLUMNS) {
  const d = COLUMNS - 1;
  const X = new Float32Array(rows * d);
  const y = new Float32Array(rows);
  for (let column = 0; column < COLUMNS; column++) {
    const values = standardise(raw.filter((_, at) => at % COLUMNS === column));
    for (let row = 0; row < rows; row++) {
      if (column < d) {
        X[row * d + column] = values[row];
      } else {
        y[row] = values[row];
      }
    }
  }
  return { X, y, n: rows, d, moments: secondMoments(X, y, d) };
}

function standardise(values) {
  const mean = meanOf(values);
  const deviation = Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
  return values.map((value) => (value - mean) / deviation);
}

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** mean(u u') / 2 for the rows u = (x, 1, y), a square matrix of d + 2, row by row. */
function secondMoments(X, y, d) {
  const size = d + 2;
  const moments = new Float64Array(size * size);
  const u = new Float64Array(size).fill(1);
  for (let row = 0; row < y.length; row++) {
    u.set(X.subarray(row * d, (row + 1) * d));
    u[d + 1] = y[row];
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        moments[i * size + j] += u[i] * u[j];
      }
    }
  }
  return moments.map((sum) => sum / y.length / 2);
}

/** The loss over all examples, mean((X w + b - y)^2) / 2, as a quadratic form: 49 products, not 1503 rows. */
function lossAt({ moments, d }, p) {
  const size = d + 2;
  let loss = 0;
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) {
      sum += moments[i * size + j] * (j > d ? -1 : p[j]);
    }
    loss += sum * (i > d ? -1 : p[i]);
  }
  return loss;
}

/**
 * g <- the gradient of the loss on the minibatch `order[start..stop)`, its sum divided by `divisor`.
 *
 * It is rounded to float32 where Python's is. On all rows the bias's gradient is little more than this rounding, since
 * every column has mean 0; and of that Adam makes a whole step. MXNet sums it with Kahan's compensation, so it is here.
 */
function gradient({ X, y, d }, order, start, stop, divisor, p, g) {
  const part = fround(1 / divisor);
  let sum = 0;
  let excess = 0; // of `sum`, from its rounding
  g.fill(0);
  for (let at = start; at < stop; at++) {
    const row = order[at] * d;
    let output = 0;
    for (let k = 0; k < d; k++) {
      output = fround(output + X[row + k] * p[k]);
    }
    const share = fround(fround(fround(output + p[d]) - y[order[at]]) * part);
    for (let k = 0; k < d; k++) {
      g[k] += share * X[row + k];
    }
    const term = fround(share - excess);
    const next = fround(sum + term);
    excess = fround(fround(next - sum) - term);
    sum = next;
  }
  g[d] = sum;
}

/**
 * The minibatches of an epoch, {start, stop, record}; `seen` examples came before it, `isLast` if none comes after.
 *
 * The loss is recorded where the number of examples seen crosses a multiple of `recordEvery`, and at the end. A record
 * that only the short last batch separates from the end waits for it.
 */
function* minibatches(n, batchSize, recordEvery, seen, isLast) {
  for (let start = 0; start < n; start += batchSize) {
    const stop = Math.min(start + batchSize, n);
    const crosses = Math.floor((seen + start) / recordEvery) < Math.floor((seen + stop) / recordEvery);
    const record = isLast && stop > n - batchSize ? stop === n : crosses;
    yield { start, stop, record };
  }
}

/**
 * One run: {epochs, losses, finalLoss, diverged, weights, trace}.
 *
 * `settings` are DEFAULTS where they say nothing else; `start`, six numbers, replaces the start that the seed gives.
 * epochs, losses: when the loss was recorded, and the loss. diverged: the step at which it was no finite number in
 * float32 any more, or null; then the run ends there and `finalLoss` is NaN. weights: the last, the bias at the end.
 * trace, if asked for: {names, steps, p, states, move}, see `tracing`.
 */
export function train(data, settings, { trace = false } = {}) {
  const all = { ...DEFAULTS, ...RULES[settings.rule ?? DEFAULTS.rule].defaults, ...settings };
  const { n, d } = data;
  const rule = RULES[all.rule];
  const batchSize = Math.min(all.batchSize, n);
  const generator = new Generator(all.seed);
  const drawn = [...generator.normal(0, 0.01, d), 0];
  const p = Float32Array.from(all.start ?? drawn);
  const g = new Float64Array(d + 1);
  const states = rule.states.map(() => new Float64Array(d + 1));
  const [epochs, losses] = [[], []];
  const traced = trace ? tracing(rule.states, p, states, all.epochs * Math.ceil(n / batchSize)) : null;

  let t = 0;
  const take = (at) => {
    const loss = lossAt(data, p);
    const isFinite = Number.isFinite(fround(loss));
    if (isFinite) {
      epochs.push(at);
      losses.push(loss);
    }
    return isFinite;
  };
  let goesOn = take(0);
  for (let epoch = 0; epoch < all.epochs && goesOn; epoch++) {
    const order = generator.permutation(n);
    const isLast = epoch === all.epochs - 1;
    for (const { start, stop, record } of minibatches(n, batchSize, all.recordEvery, epoch * n, isLast)) {
      gradient(data, order, start, stop, all.divideLastBy === 'full' ? batchSize : stop - start, p, g);
      rule.step(p, g, states, all, ++t);
      traced?.take();
      goesOn = !record || take(epoch + stop / n);
      if (!goesOn) {
        break;
      }
    }
  }
  const [diverged, finalLoss] = goesOn ? [null, losses.at(-1)] : [t, NaN];
  return { epochs, losses, diverged, finalLoss, weights: Float64Array.from(p), trace: traced?.done() ?? null };
}

/**
 * Everything a run has kept: `p`, and each array of `states` by its name, hold (steps + 1) x 6 numbers, those before
 * the first step first; `move` holds steps x 6, what each step has added to p.
 */
function tracing(names, p, states, mostSteps) {
  const [sources, size] = [[p, ...states], p.length];
  const room = sources.map(() => new Float64Array((mostSteps + 1) * size));
  let count = 0; // of the copies
  const take = () => {
    sources.forEach((source, k) => room[k].set(source, count * size));
    count++;
  };
  take();
  const done = () => {
    const [all, ...kept] = room.map((array) => array.subarray(0, count * size));
    const move = all.subarray(size).map((value, at) => value - all[at]);
    return {
      names,
      steps: count - 1,
      p: all,
      states: Object.fromEntries(names.map((name, k) => [name, kept[k]])),
      move,
    };
  };
  return { take, done };
}

/** The lowest loss that any weights reach, and these: the normal equations, solved by Cholesky's decomposition. */
export function leastSquares(data) {
  const { moments, d } = data;
  const size = d + 2;
  const L = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i && j <= d; j++) {
      let rest = moments[i * size + j];
      for (let k = 0; k < j; k++) {
        rest -= L[i * size + k] * L[j * size + k];
      }
      L[i * size + j] = i === j ? Math.sqrt(rest) : rest / L[j * size + j];
    }
  }
  // The last row of L is L^-1 of the last column of the moments.
  const weights = L.slice((d + 1) * size, (d + 1) * size + d + 1);
  for (let i = d; i >= 0; i--) {
    for (let k = i + 1; k <= d; k++) {
      weights[i] -= L[k * size + i] * weights[k];
    }
    weights[i] /= L[i * size + i];
  }
  return { weights, loss: lossAt(data, weights) };
}

/** The final losses of `count` runs that differ in their seeds alone; NaN where a run has diverged. */
export function finalLosses(data, settings, firstSeed, count) {
  return Float64Array.from({ length: count }, (_, k) => train(data, { ...settings, seed: firstSeed + k }).finalLoss);
}
