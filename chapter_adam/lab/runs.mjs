// Trainings in the page: one at a touch, a thousand in a worker.
import { training } from './training.mjs';

export const SEEDS = 1000;

/** What the build has put into the page: the data, the best weights, and figures/seeds.json. */
export const FACTS = JSON.parse(document.getElementById('facts').textContent);

const [X, y] = [Float32Array.from(FACTS.X), Float32Array.from(FACTS.y)];

/** The data of so many rows, with what depends on no run: `moments`, the best `weights` and their loss, `floor`. */
export const dataOf = (rows) => ({ X, y: y.subarray(0, rows), ...FACTS.best[rows] });

/** A run with everything that it keeps, its settings, and its seconds per epoch; it yields as `training` does. */
export function* tracedRun(settings) {
  const work = training(dataOf(settings.rows), settings, true);
  for (let seconds = 0; ; yield) {
    const began = performance.now();
    const { done, value } = work.next();
    seconds += (performance.now() - began) / 1000;
    if (done) {
      return { ...value, settings, seconds: seconds / settings.epochs };
    }
  }
}

/**
 * Trains the seeds 0 to 999 in a worker. Calls `progress` with the part done and the seconds left,
 * at the end `finish` with {losses, diverged, seconds}, the finite losses sorted. Returns what stops it.
 */
export function trainSeeds(settings, progress, finish) {
  const worker = new Worker(URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' })));
  const began = performance.now();
  const all = [];
  worker.onmessage = ({ data: losses }) => {
    all.push(...losses);
    const seconds = (performance.now() - began) / 1000;
    progress(all.length / SEEDS, (seconds * (SEEDS - all.length)) / all.length);
    if (all.length === SEEDS) {
      const finite = all.filter(Number.isFinite).toSorted((one, other) => one - other);
      finish({ losses: finite, diverged: SEEDS - finite.length, seconds });
    }
  };
  worker.postMessage({ data: dataOf(settings.rows), settings, count: SEEDS });
  return () => worker.terminate();
}
