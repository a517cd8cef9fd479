// The numbers that the views show.

/** How many values fall between each two edges; as in figures/seeds.json the last bin holds all above. */
export function histogram(values, edges) {
  const counts = Array.from({ length: edges.length - 1 }, () => 0);
  for (const value of values) {
    const bin = Math.floor((value - edges[0]) / (edges[1] - edges[0]));
    counts[Math.max(0, Math.min(counts.length - 1, bin))]++;
  }
  return counts;
}

/** Edges of `count` equal bins up to the 98th percentile, from the floor where that is near. */
export function edgesOf(sorted, floor, count = 50) {
  const [least, high] = [sorted[0], sorted[Math.floor(0.98 * (sorted.length - 1))]];
  const low = least - floor < high - least ? floor : least;
  const width = Math.max(high - low, 1e-6) / count;
  return Array.from({ length: count + 1 }, (_, k) => low + k * width);
}

/** A run's steps, and its average `name` after each; v_hat and s_hat are v and s over the sum of their weights. */
export function keptOf({ trace, settings }, name) {
  const [plainName, hat] = name.split('_');
  const shown = trace.names.includes(plainName) ? plainName : trace.names[0];
  const beta = shown === 'v' ? settings.beta1 : settings.beta2;
  const corrects = hat && shown === plainName && beta !== undefined;
  const takesRate = settings.lr !== undefined;
  const rest = (step) => (corrects ? 1 - beta ** (step + (settings.firstT ?? 1)) : 1);
  return {
    steps: trace.steps,
    kept: (step, k) => (shown ? trace.states[shown][6 * (step + 1) + k] / rest(step) : 0),
    choice: corrects ? name : shown,
    keptName: shown ? `${shown}${corrects ? ', corrected' : ''}` : 'nothing is kept',
    move: (step, k) => (trace.p[6 * step + 6 + k] - trace.p[6 * step + k]) / (takesRate ? trace.rates[step + 1] : 1),
    moveName: takesRate ? 'step / learning rate' : 'step',
  };
}

/** The second derivatives of the loss in two weights. */
export const curvatureOf = (moments, pair) => pair.map((i) => pair.map((j) => 2 * moments[7 * i + j]));
