import assert from 'node:assert/strict';
import test from 'node:test';
import { RULES } from '../../chapter_adam/lab/rules.mjs';
import { DEFAULTS, train, training } from '../../chapter_adam/lab/training.mjs';
import { dataOf, facts } from './data.mjs';

const data = dataOf(40);

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
    schedule: '1/t',
  })) {
    assert.notDeepEqual(train(data, { [key]: other }), usual, key);
  }
});

test('the best weights of the page have the lowest loss', () => {
  for (const rows of [1503, 1500]) {
    const all = dataOf(rows);
    const { weights, floor, moments } = facts.best[rows];
    const lossAt = (start) => train(all, { start, epochs: 1, batchSize: rows, lr: 1e-9 }).losses[0];
    assert.ok(moments.every((moment, at) => Math.abs(moment - all.moments[at]) < 1e-10));
    assert.ok(Math.abs(lossAt(weights) - floor) < 1e-10);
    for (let k = 0; k < 6; k++) {
      for (const shift of [-0.01, 0.01]) {
        assert.ok(lossAt(weights.with(k, weights[k] + shift)) > floor);
      }
    }
  }
});

test('a run in pieces, one each epoch, is the same run', () => {
  const [work, pieces] = [training(data, { epochs: 3 }, true), []];
  do {
    pieces.push(work.next());
  } while (!pieces.at(-1).done);
  assert.equal(pieces.length, 4);
  assert.deepEqual(pieces.at(-1).value.weights, train(data, { epochs: 3 }).weights);
});

test('the trace holds the rate of each step', () => {
  const rates = (schedule) => [...train(data, { lr: 0.4, epochs: 1, schedule }, true).trace.rates.slice(1)];
  assert.deepEqual(rates('constant'), [0.4, 0.4, 0.4, 0.4]);
  assert.deepEqual(rates('1/t'), [0.4, 0.2, 0.4 / 3, 0.1]);
  assert.deepEqual(rates('1/sqrt(t)')[3], 0.2);
  assert.ok(Math.abs(rates('cosine')[2] - 0.2) < 1e-15);
});

test('another start leaves the orders as they are', () => {
  const { p } = train(data, { seed: 5 }, true).trace;
  const again = train(data, { seed: 5, start: p.slice(0, 6) }, true).trace.p;
  assert.deepEqual(again, p);
  const given = Float64Array.of(1, 1, 1, 1, 1, 1);
  assert.notDeepEqual(train(data, { seed: 5, start: given }).weights, train(data, { seed: 6, start: given }).weights);
  assert.deepEqual([...given], [1, 1, 1, 1, 1, 1]);
});

test('a trace holds each step, and repeats with the rule alone', () => {
  for (const [rule, { states, defaults, step }] of Object.entries(RULES)) {
    const start = [0, 0, 0, 0, 0, 0.5]; // from 0 the bias would have a gradient of rounding alone
    const { trace, weights } = train(data, { rule, start, batchSize: 40, epochs: 3 }, true);
    assert.deepEqual([trace.names, trace.steps, trace.p.length, trace.rates.length], [states, 3, 24, 4]);
    assert.deepEqual([...trace.p.slice(18)], [...weights]);
    const p = Float32Array.from(trace.p.slice(0, 6));
    const kept = states.map(() => new Float64Array(6));
    for (let t = 1; t <= 3; t++) {
      const before = p.slice();
      step(p, gradient(before), kept, { lr: 0.01, ...defaults }, t);
      p.forEach((value, k) => {
        assert.ok(Math.abs(value - trace.p[6 * t + k]) < 1e-6);
        states.forEach((name, at) => assert.ok(Math.abs(kept[at][k] - trace.states[name][6 * t + k]) < 1e-6));
      });
    }
  }
});

/** The gradient of the loss on all rows. */
function gradient(p) {
  const g = new Float64Array(6);
  for (let row = 0; row < data.y.length; row++) {
    const x = [...data.X.subarray(5 * row, 5 * row + 5), 1];
    const residual = x.reduce((sum, value, k) => sum + value * p[k], 0) - data.y[row];
    x.forEach((value, k) => (g[k] += (residual * value) / data.y.length));
  }
  return g;
}

test('a run that diverges says so and stops', () => {
  const run = train(data, { rule: 'sgd', lr: 1e20, recordEvery: 1, epochs: 9 }, true);
  assert.equal(run.diverged, 1);
  assert.equal(run.trace.steps, 1);
  assert.equal(run.losses.length, 1);
  assert.ok(Number.isNaN(run.finalLoss));
  assert.equal(train(data, { start: [1e30, 0, 0, 0, 0, 0] }).diverged, 0);
});

test('a worker sends the ends of the seeds in chunks', async () => {
  const settings = { rule: 'rmsprop', lr: 0.1 };
  const posted = [];
  globalThis.self = { postMessage: (message) => posted.push(message) };
  await import('../../chapter_adam/lab/worker.mjs');
  globalThis.self.onmessage({ data: { data, settings, count: 60 } });
  assert.deepEqual(
    posted.map((losses) => losses.length),
    [25, 25, 10],
  );
  assert.deepEqual(
    posted.flat(),
    Array.from({ length: 60 }, (_, seed) => train(data, { ...settings, seed }).finalLoss),
  );
});
