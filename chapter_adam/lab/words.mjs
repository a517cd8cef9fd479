// What the page says of a run, and of a thousand.
import { dataOf, FACTS, SEEDS } from './runs.mjs';

/** A loss with so many digits; a huge one in short. */
export const fixed = (loss, digits) => (loss < 1e6 ? loss.toFixed(digits) : loss.toExponential(2).replace('+', ''));

const percent = (value) => `${value.toFixed(1)} %`;
const { book, final, runs } = FACTS.seeds;
const MANY = runs.toLocaleString('en');

/** The book's line. */
export function lineOf({ finalLoss, diverged, seconds }) {
  return diverged === null
    ? `loss: ${fixed(finalLoss, 6)}, ${seconds.toFixed(6)} sec per epoch`
    : `diverged: the loss after step ${diverged} is no finite number`;
}

/** Where a run ends: above the floor, and among the seeds of the section's run. */
export function verdict({ finalLoss, diverged, settings }) {
  if (diverged !== null) {
    const { gamma, momentum } = settings;
    const cause = gamma === 1 ? 'gamma' : momentum === 1 ? 'momentum' : 'learning rate';
    return `Try a smaller ${cause}.`;
  }
  const { '5 %': low, '95 %': high } = final.scratch;
  const where = finalLoss < low ? 'below' : finalLoss > high ? 'above' : 'in';
  return (
    `${fixed(finalLoss - dataOf(settings.rows).floor, 4)} above the least-squares floor, ${where} the middle 90 % of ` +
    `${MANY} seeds of the section’s run (${low.toFixed(4)} to ${high.toFixed(4)}).`
  );
}

/** Where this run and the book's lie among the seeds: those of the section's run, or those trained in the page. */
export function ranks(run, thousand) {
  if (!thousand) {
    return (
      `${MANY} seeds of the section’s run, trained in Python. The book’s run from scratch is above ` +
      `${percent(book.scratch.percentile)} of them, its Gluon run above ${percent(book.gluon.percentile)}.`
    );
  }
  const { losses, diverged, seconds } = thousand;
  const began = `${SEEDS.toLocaleString('en')} seeds of these settings, trained here in ${seconds.toFixed(1)} s`;
  if (diverged === SEEDS) {
    return `${began}: all diverged.`;
  }
  const rank = (loss) => percent((100 * losses.filter((each) => each < loss).length) / SEEDS);
  const spread = [0.05, 0.5, 0.95].map((part) => fixed(quantile(losses, part), 6));
  return (
    `${began}${diverged ? `. ${diverged} diverged, which count as above; the other ${SEEDS - diverged}` : ''}: ` +
    `5 % ${spread[0]}, median ${spread[1]}, 95 % ${spread[2]}. ` +
    `This run ${run.diverged === null ? `is above ${rank(run.finalLoss)} of them` : 'diverged'}, ` +
    `the book’s run from scratch is above ${rank(book.scratch.loss)}, its Gluon run above ${rank(book.gluon.loss)}.`
  );
}

/** As NumPy computes it: between two values in proportion. */
function quantile(sorted, part) {
  const at = part * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  return below + (at % 1) * (sorted[Math.ceil(at)] - below);
}
