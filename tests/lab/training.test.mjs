import assert from 'node:assert/strict';
import test from 'node:test';
import { RULES } from '../../chapter_adam/lab/rules.mjs';
import { DEFAULTS, finalLosses, leastSquares, prepare, train } from '../../chapter_adam/lab/training.mjs';
import { Generator } from '../../chapter_adam/lab/random.mjs';

/** Data of 40 rows with noise, as the file holds them. */
function someRows() {
  const noise = new Generator(0).normal(0, 1, 240);
  return noise.map((value, at) => (at % 6 === 5 ? 100 + 3 * noise[at - 5] - noise[at - 1] + value : (at % 6) + value));
}

const raw = someRows();
const data = prepare(raw);

test('a setting that is left out is the default', () => {
  const usual = train(data, {});
  assert.deepEqual(train(data, { ...DEFAULTS, ...RULES.adam.defaults }), usual);
  for (const [key, other] of Object.entries({
    lr: 0.1,
    seed: 1,
    batchSize: 7,
    epochs: 1,
    correction: 'none',
    firstT: 2,
    beta1: 0.5,
    beta2: 0.5,
    rule: 'sgd',
    recordEvery: 10,
    eps: 0.1,
  })) {
    assert.notDeepEqual(train(data, { [key]: other }), usual, key);
  }
});

test('the best weights have the lowest loss', () => {
  const { weights, loss } = leastSquares(data);
  const settings = { start: weights, epochs: 50, lr: 1e-9 };
  assert.ok(Math.abs(train(data, settings).losses[0] - loss) < 1e-15);
  for (let k = 0; k < 6; k++) {
    for (const shift of [-0.01, 0.01]) {
      assert.ok(train(data, { start: weights.with(k, weights[k] + shift) }).losses[0] > loss);
    }
  }
});

test('another start leaves the orders as they are', () => {
  const { p } = train(data, { seed: 5 }, { trace: true }).trace;
  const again = train(data, { seed: 5, start: p.slice(0, 6) }, { trace: true }).trace.p;
  assert.deepEqual(again, p);
  const given = Float64Array.of(1, 1, 1, 1, 1, 1);
  assert.notDeepEqual(train(data, { seed: 5, start: given }).weights, train(data, { seed: 6, start: given }).weights);
  assert.deepEqual([...given], [1, 1, 1, 1, 1, 1]);
});

test('a trace holds each step, and repeats with the rule alone', () => {
  for (const [rule, { states, defaults, step }] of Object.entries(RULES)) {
    const start = [0, 0, 0, 0, 0, 0.5]; // from 0 the bias would have a gradient of rounding alone
    const { trace, weights } = train(data, { rule, start, batchSize: 40, epochs: 3 }, { trace: true });
    assert.deepEqual([trace.names, trace.steps, trace.p.length, trace.move.length], [states, 3, 24, 18]);
    assert.deepEqual([...trace.p.slice(18)], [...weights]);
    const p = Float32Array.from(trace.p.slice(0, 6));
    const kept = states.map(() => new Float64Array(6));
    for (let t = 1; t <= 3; t++) {
      const before = p.slice();
      step(p, gradient(before), kept, { lr: 0.01, ...defaults }, t);
      p.forEach((value, k) => {
        assert.ok(Math.abs(value - trace.p[6 * t + k]) < 1e-6);
        assert.ok(Math.abs(value - before[k] - trace.move[6 * t - 6 + k]) < 1e-6);
        states.forEach((name, at) => assert.ok(Math.abs(kept[at][k] - trace.states[name][6 * t + k]) < 1e-6));
      });
    }
  }
});

/** The gradient of the loss on all rows. */
function gradient(p) {
  const g = new Float64Array(6);
  for (let row = 0; row < data.n; row++) {
    const x = [...data.X.subarray(5 * row, 5 * row + 5), 1];
    const residual = x.reduce((sum, value, k) => sum + value * p[k], 0) - data.y[row];
    x.forEach((value, k) => (g[k] += (residual * value) / data.n));
  }
  return g;
}

test('a run that diverges says so and stops', () => {
  const run = train(data, { rule: 'sgd', lr: 1e20, recordEvery: 1, epochs: 9 }, { trace: true });
  assert.equal(run.diverged, 1);
  assert.equal(run.trace.steps, 1);
  assert.equal(run.losses.length, 1);
  assert.ok(Number.isNaN(run.finalLoss));
  assert.equal(train(data, { start: [1e30, 0, 0, 0, 0, 0] }).diverged, 0);
});

test('many seeds are single runs, and a worker sends them in pieces', async () => {
  const settings = { rule: 'rmsprop', lr: 0.1, rows: 30 };
  const some = prepare(raw, 30);
  const expected = Array.from({ length: 60 }, (_, k) => train(some, { ...settings, seed: 10 + k }).finalLoss);
  assert.deepEqual([...finalLosses(some, settings, 10, 60)], expected);

  const posted = [];
  globalThis.self = { postMessage: (message) => posted.push(message) };
  await import('../../chapter_adam/lab/worker.mjs');
  globalThis.self.onmessage({ data: { raw, settings, first: 10, count: 60 } });
  assert.deepEqual(
    posted.flatMap(({ losses }) => [...losses]),
    expected,
  );
  assert.deepEqual(
    posted.map(({ done, total }) => [done, total]),
    [
      [25, 60],
      [50, 60],
      [60, 60],
    ],
  );
});
