import assert from 'node:assert/strict';
import test from 'node:test';
import { Generator } from '../../chapter_adam/lab/random.mjs';

test('a seed is a value: two generators of one seed draw the same, of two seeds not', () => {
  const [first, same, other] = [3, 3, 4].map((seed) => new Generator(seed).permutation(100));
  assert.deepEqual(first, same);
  assert.notDeepEqual(first, other);
});

test('an order holds every number once', () => {
  const generator = new Generator(0);
  for (const n of [0, 1, 2, 1503]) {
    assert.deepEqual(
      [...generator.permutation(n)].sort((a, b) => a - b),
      [...Array(n).keys()],
    );
  }
});

test('normal numbers have the mean and the deviation that were asked for', () => {
  const values = new Generator(1).normal(5, 2, 20000);
  const mean = values.reduce((sum, value) => sum + value) / 20000;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 20000);
  assert.ok(Math.abs(mean - 5) < 0.05 && Math.abs(deviation - 2) < 0.05);
});
