import assert from 'node:assert/strict';
import test from 'node:test';
import { parse, VIEW, write } from '../../chapter_adam/lab/address.mjs';
import { path, plain, plot, scale, ticks } from '../../chapter_adam/lab/chart.mjs';
import { complete, decode, encode, names, NUMBERS, read, withRule } from '../../chapter_adam/lab/settings.mjs';
import { solve, periodView, whereabouts } from '../../chapter_adam/lab/periodic.mjs';
import { runToEnd, train } from '../../chapter_adam/lab/training.mjs';
import * as numbers from '../../chapter_adam/lab/numbers.mjs';
import * as views from '../../chapter_adam/lab/views.mjs';
import { dataOf, facts } from './data.mjs';

const { seeds } = facts;
const data = dataOf(1503);
const size = { width: 600, height: 300 };

test('a scale keeps distances, a log scale factors', () => {
  assert.deepEqual([0, 1, 2].map(scale([0, 2], [10, 30])), [10, 20, 30]);
  assert.deepEqual([1, 10, 100, 0].map(scale([1, 100], [0, 200], true)), [0, 100, 200, 0]);
});

test('ticks are round and within the domain', () => {
  assert.deepEqual(ticks({ domain: [0, 2] }, 4), [0, 0.5, 1, 1.5, 2]);
  assert.deepEqual(ticks({ domain: [1e-4, 1], log: true }, 9).map(plain), ['1e-4', '0.001', '0.01', '0.1', '1']);
  assert.deepEqual([-0.5, 0, 1e-6, 1 / 3, 25e5].map(plain), ['−0.5', '0', '1e-6', '0.3333', '2.5e6']);
  for (let high = 1; high < 10; high += 0.1) {
    assert.ok(ticks({ domain: [-0.3, high] }, 1).length >= 2);
  }
});

test('a path leaves out what is no number, and stays near the plot', () => {
  const on = plot({ left: 0, top: 0, right: 10, bottom: 10 }, { domain: [0, 1] }, { domain: [0, 1] });
  assert.equal(path([0, 0.5, 1], [0, Number.NaN, 1], on), 'M0 10L10 0');
  assert.equal(path([0], [1e9], on), 'M0 -5000');
});

test('bins are those of figures/seeds.json, the last one holds all above', () => {
  const { edges } = seeds.histogram;
  const counts = numbers.histogram([edges[0], edges[1] + 1e-6, edges.at(-1) + 1, edges[0] - 1], edges);
  assert.deepEqual([counts[0], counts[1], counts.at(-1)], [2, 1, 1]);
  const own = numbers.edgesOf([0.3, 0.31, 0.32, 0.4], 0.242);
  assert.ok(own[0] === 0.3 && own.at(-1) < 0.4 && own.length === 51);
});

test('a picture has four parts, its words come from the facts', () => {
  const run = { epochs: [0, 2], losses: [0.5, 0.3], kind: 'now' };
  const picture = views.lossView(size, { runs: [run], seeds, floor: 0.2421, log: false });
  assert.equal(picture.length, 4);
  assert.match(picture[3].join(''), /the book: 0\.243957/);
  const long = views.lossView(size, { runs: [{ ...run, epochs: [0, 50] }], seeds, floor: 0.2421, log: false });
  assert.match(long[3].join(''), /text-anchor="start">the book/);
  const settings = complete({ rule: 'sgd' });
  const lost = { epochs: [0], losses: [0.5], diverged: 9, settings, kind: 'pin1' };
  const [, , curves] = views.lossView(size, { runs: [lost, run], seeds, floor: 0.2421, log: false });
  assert.match(curves.flat(9).join(''), /run pin1" d="M[-\d. ]+L[-\d. ]+".*↑/);
  assert.equal(curves.flat(9).join('').match(/↑/g).length, 1);
  const marks = [{ loss: 9, name: 'far', kind: 'now' }];
  assert.match(
    views
      .finalView(size, { counts: [1], edges: [0, 1], marks, floor: 0 })[3]
      .flat()
      .join(''),
    /far →/,
  );
});

test('what a rule keeps: a corrected average of one gradient is the gradient', () => {
  const settings = complete({ lr: 0.1, batchSize: 1503, epochs: 3 });
  const run = { settings, ...train(data, settings, true) };
  const [v, vHat, sHat] = ['v', 'v_hat', 's_hat'].map((name) => numbers.keptOf(run, name));
  for (const k of [0, 5]) {
    assert.ok(Math.abs(vHat.kept(0, k) - 10 * v.kept(0, k)) < 1e-12 && vHat.kept(0, k) !== 0);
    assert.ok(Math.abs(sHat.kept(0, k) - vHat.kept(0, k) ** 2) < 1e-9);
    assert.ok(Math.abs(vHat.kept(2, k) * (1 - 0.9 ** 3) - v.kept(2, k)) < 1e-12);
    assert.ok(Math.abs(v.move(2, k) * 0.1 - (run.trace.p[18 + k] - run.trace.p[12 + k])) < 1e-12);
  }
  const nothing = { settings: complete({ rule: 'sgd' }), ...train(data, { rule: 'sgd' }, true) };
  assert.deepEqual(
    [numbers.keptOf(nothing, 'v').keptName, numbers.keptOf(nothing, 'v').kept(7, 0)],
    ['nothing is kept', 0],
  );
});

test('the loss is the same all along a contour', () => {
  const { weights, floor } = facts.best[1503];
  const [on, pair] = [views.pathPlot(size, ['', '']), [1, 4]];
  const optimum = pair.map((k) => weights[k]);
  const given = { runs: [], optimum, curvature: numbers.curvatureOf(data.moments, pair), floor };
  const contour = views
    .pathView(on, given)[1]
    .flat(9)
    .find((part) => part.includes('"contour"'));
  const unit = on.X(1) - on.X(0);
  const losses = [...contour.matchAll(/([-\d.]+) ([-\d.]+)/g)].map(([, x, y]) => {
    const start = [...weights];
    [start[1], start[4]] = [(x - on.X(0)) / unit, (on.Y(0) - y) / unit];
    return train(data, { start, epochs: 1, batchSize: 1503 }).losses[0];
  });
  assert.ok(losses.length > 70 && Math.min(...losses) > 2 * floor);
  assert.ok(Math.max(...losses) - Math.min(...losses) < 0.02 * floor);
});

test('a setting goes to its address and back', () => {
  for (const text of [
    '',
    'lr=0.3',
    'rule=yogi&eps=0.1',
    'firstT=2&rows=1500',
    'schedule=cosine',
    'start=1,2,3,4,5,6',
  ]) {
    assert.equal(encode(decode(text)), text);
  }
  assert.deepEqual(decode('epochs=0&lr=x&rule=best&correction=toString&seed=1.5&hello=1'), complete());
  const { settings, pins, view } = parse('lr=0.3&pin=&pin=beta1%3D0&log=true&first=7');
  assert.deepEqual([settings.lr, pins.map(encode), view], [0.3, ['', 'beta1=0'], { ...VIEW, log: 'true' }]);
  const runs = pins.map((pin) => ({ settings: pin }));
  assert.equal(write(settings, runs, view), 'lr=0.3&pin=&pin=beta1%3D0&log=true');
  assert.equal(parse('exercises'), null);
  assert.equal(decode('start=,,,,,').start, undefined);
  assert.deepEqual(parse('kept=zzz&lr=0.3&pin=seed%3D-1').ignored, ['kept=zzz', 'seed=-1']);
});

test('the periodic problem: its numbers are in the address, its words say where x is', () => {
  const { settings, view } = parse('period=100&periodBeta2=0.5&periodBeta1=1');
  assert.deepEqual([view.period, view.periodBeta1, view.periodBeta2], ['100', '0', '0.5']);
  assert.equal(write(settings, [], view), 'period=100&periodBeta2=0.5');
  assert.deepEqual(settings, complete());
  const paths = runToEnd(solve([3, 0, 1 / 17]));
  assert.match(
    whereabouts(paths),
    /^After 30,000 steps: Adam is at the worst point, x\u00a0=\u00a01\.000; AMSGrad is at the best/,
  );
  assert.equal(
    periodView(size, paths)[2]
      .flat(9)
      .join('')
      .match(/class="line run/g).length,
    3,
  );
});

test('another rule brings its hyperparameters and keeps the rest', () => {
  const yogi = withRule({ ...complete(), lr: 0.3, eps: 1, start: [0, 0, 0, 0, 0, 0] }, 'yogi');
  assert.deepEqual([yogi.lr, yogi.eps, yogi.start.length, yogi.correction], [0.3, 1e-3, 6, undefined]);
});

test('every stop of a slider is allowed', () => {
  for (const [key, { stops }] of Object.entries(NUMBERS)) {
    assert.deepEqual(
      stops,
      [...new Set(stops)].sort((one, other) => one - other),
      key,
    );
    assert.ok(
      stops.every((stop) => read(key, String(stop)) === stop),
      key,
    );
  }
});

test('the schedule belongs to rules with a rate, and to the step over the rate', () => {
  assert.equal(complete({ rule: 'adadelta' }).schedule, undefined);
  assert.deepEqual(names([complete({ schedule: '1/t' }), complete()]), ['1/t schedule', 'constant rate']);
  const settings = complete({ schedule: '1/t', epochs: 1 });
  const { move, moveName } = numbers.keptOf({ settings, ...train(data, settings, true) }, 'v');
  assert.ok(Math.abs(Math.abs(move(0, 0)) - 1) < 1e-3 && Math.abs(move(149, 0)) > 0.01);
  assert.equal(moveName, 'step / learning rate');
});

test('runs are named by what differs', () => {
  assert.deepEqual(names([complete()]), ['Adam']);
  assert.deepEqual(names([complete(), complete({ lr: 0.3 })]), ['learning rate 0.01', 'learning rate 0.3']);
  assert.deepEqual(names([complete({ eps: 1e-5 }), complete()]), ['eps 1e-5', 'eps 1e-6']);
  assert.deepEqual(names([complete({ rule: 'yogi' }), complete()]), ['Yogi', 'Adam']);
});
