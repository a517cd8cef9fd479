// Runs the page's modules for engine.py: requests of one kind come in as JSON, the list of answers goes out.
import { readFileSync } from 'node:fs';

const LAB = new URL('../../chapter_adam/lab/', import.meta.url);

/** A module of the lab as it stands, or with an `edit` [old, new] in its text. */
function module(name, edit) {
  const url = new URL(`${name}.mjs`, LAB);
  return edit
    ? import(`data:text/javascript,${encodeURIComponent(edited(readFileSync(url, 'utf8'), edit))}`)
    : import(url);
}

const edited = (text, [old, replacement]) => text.replace(old, () => replacement).replaceAll("'./", `'${LAB}`);

const answer = {
  /** What generators draw: `draws` are [method, ...arguments]. */
  async random({ seeds, draws, edit }) {
    const { Generator } = await module('random', edit);
    return seeds.map((seed) => {
      const generator = new Generator(seed);
      return draws.map(([method, ...given]) => [...generator[method](...given)]);
    });
  },

  /** The parameters after each gradient. */
  async path({ rule, gradients, start, hyperparams, edit }) {
    const { states, defaults, step } = (await module('rules', edit)).RULES[rule];
    const p = Float64Array.from(start);
    const kept = states.map(() => new Float64Array(p.length));
    return gradients.map((g, at) => {
      step(p, Float64Array.from(g), kept, { lr: 0.01, ...defaults, ...hyperparams }, at + 1);
      return [...p];
    });
  },

  /** `data` holds them by their number of rows. */
  async train({ data, settings, edit }) {
    const { train } = await module('training', edit);
    const { X, y, moments } = data[settings.rows ?? 1503];
    const run = train({ X: Float32Array.from(X), y: Float32Array.from(y), moments }, settings);
    return { ...run, weights: [...run.weights] };
  },

  /** x of the periodic problem after some steps. */
  async positions({ rule, numbers, steps }) {
    const path = (await module('periodic')).positions(rule, ...numbers);
    return steps.map((step) => path[step - 1]);
  },
};

const answers = [];
const { what, requests, shared } = JSON.parse(readFileSync(0, 'utf8'));
for (const request of requests) {
  // A mistake under test may throw.
  answers.push(await answer[what]({ ...shared, ...request }).catch((error) => ({ error: String(error) })));
}
process.stdout.write(JSON.stringify(answers));
