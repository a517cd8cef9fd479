// Trainings in the page: one at a touch, a thousand in a worker.
import { leastSquares, prepare, train } from './training.mjs';

export const SEEDS = 1000;

/** What the build has put into the page: the rows of the data file, and figures/seeds.json. */
export const FACTS = JSON.parse(document.getElementById('facts').textContent);

const prepared = {};

/** The data of so many rows, with what depends on no run: the best weights and their loss. */
export function dataOf(rows) {
  if (!prepared[rows]) {
    const data = prepare(FACTS.raw, rows);
    prepared[rows] = { data, ...leastSquares(data) };
  }
  return prepared[rows];
}

/** A run with everything that it has kept, its settings, and its seconds per epoch. */
export function trained(settings) {
  const { data } = dataOf(settings.rows);
  const began = performance.now();
  const run = train(data, settings, { trace: true });
  return { ...run, settings, seconds: (performance.now() - began) / 1000 / settings.epochs };
}

/**
 * Trains the seeds 0 to 999 in a worker. Calls `progress` with the part done and the seconds left,
 * at the end `finish` with {losses, diverged, seconds}, the finite losses sorted. Returns what stops it.
 */
export function trainSeeds(settings, progress, finish) {
  const worker = new Worker(URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' })));
  const began = performance.now();
  const all = [];
  worker.onmessage = ({ data: { done, total, losses } }) => {
    all.push(...losses);
    const seconds = (performance.now() - began) / 1000;
    progress(done / total, (seconds * (total - done)) / done);
    if (done === total) {
      worker.terminate();
      const finite = all.filter(Number.isFinite).toSorted((one, other) => one - other);
      finish({ losses: finite, diverged: SEEDS - finite.length, seconds });
    }
  };
  worker.postMessage({ raw: FACTS.raw, settings, first: 0, count: SEEDS });
  return () => worker.terminate();
}
