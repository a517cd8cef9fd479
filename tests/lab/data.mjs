// The data of the page, of so many rows, for the modules' own tests.
import { readFileSync } from 'node:fs';

const page = readFileSync(new URL('../../docs/index.html', import.meta.url), 'utf8');
export const facts = JSON.parse(page.match(/id="facts">(.*?)<\/script>/)[1]);

/** As `training.mjs` takes them; the moments are summed here. */
export function dataOf(rows) {
  const [X, y] = [Float32Array.from(facts.X.slice(0, 5 * rows)), Float32Array.from(facts.y.slice(0, rows))];
  const moments = new Float64Array(49);
  y.forEach((label, row) => {
    const u = [...X.subarray(5 * row, 5 * row + 5), 1, label];
    moments.forEach((_, at) => (moments[at] += (u[Math.floor(at / 7)] * u[at % 7]) / rows / 2));
  });
  return { X, y, moments };
}
