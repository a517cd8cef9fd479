// Reddi, Kale & Kumar's problem, beside its twin `chapter_adam/exercises/divergence.py`: x is kept in [-1, 1]; the
// gradient is 4 P / 3 in the first step of each period P and -1 in the others. They sum to 1 + P / 3: -1 is best.
import { axes, clipped, line, plot, words } from './chart.mjs';
import { RULES } from './rules.mjs';
import { CHOICES } from './settings.mjs';
import { boxOf } from './views.mjs';

const STEPS = 30000;
const RATE = 0.5; // falls as 1 / sqrt(t)
const RIVALS = Object.entries({ adam: 'pin1', amsgrad: 'now', yogi: 'pin2 dashed' });

/** x after each step of a rule. */
export function positions(rule, period, beta1, beta2) {
  const { states, defaults, step } = RULES[rule];
  const hyperparams = { ...defaults, lr: RATE, beta1, beta2 };
  const [x, g] = [new Float64Array(1), new Float64Array(1)];
  const kept = states.map(() => new Float64Array(1));
  const path = new Float64Array(STEPS);
  for (let t = 1; t <= STEPS; t++) {
    g[0] = t % period === 1 ? (4 * period) / 3 : -1;
    hyperparams.lr = RATE / Math.sqrt(t);
    step(x, g, kept, hyperparams, t);
    x[0] = Math.max(-1, Math.min(1, x[0]));
    path[t - 1] = x[0];
  }
  return path;
}

/** The path of each of the rules; it yields where a frame may end. */
export function* solve(numbers) {
  const paths = [];
  for (const [rule] of RIVALS) {
    paths.push(positions(rule, ...numbers));
    yield;
  }
  return paths;
}

/** x over the steps, the paths of `solve`. */
export function periodView(size, paths) {
  const x = { domain: [1, STEPS], log: true, label: 'step' };
  const on = plot(boxOf(size), x, { domain: [-1.3, 1.3], label: 'x' });
  const steps = Array.from({ length: 500 }, (_, k) => Math.round(STEPS ** (k / 499)));
  const curve = (path, k) =>
    line(
      steps,
      steps.map((step) => path[step - 1]),
      on,
      `run ${RIVALS[k][1]}`,
    );
  const sides = [1, -1].map((side) => line(x.domain, [side, side], on, 'floor'));
  const named = (text, side) => words(text, on.box.left + 6, on.Y(1.13 * side) + 4, 'start', 'soft');
  return [axes(on), sides, clipped('period', on, paths.map(curve)), [named('worst point', 1), named('best point', -1)]];
}

/** Where each rule is in the end. */
export function whereabouts(paths) {
  const place = (x) => `${Math.abs(x) > 0.95 ? 'at' : 'nearer to'} the ${x > 0 ? 'worst' : 'best'} point`;
  const where = paths.map(
    (path, k) => `${CHOICES.rule[RIVALS[k][0]]} is ${place(path.at(-1))}, x\u00a0=\u00a0${path.at(-1).toFixed(3)}`,
  );
  return `After ${STEPS.toLocaleString('en')} steps: ${where.join('; ').replaceAll('-', '−')}.`;
}
