// The four views, each a function from numbers to its four parts, SVG texts. `size` is the width and height in pixels.
import { axes, band, clipped, line, path, pixel, plot, words } from './chart.mjs';
import { WEIGHTS } from './settings.mjs';

export const boxOf = ({ width, height }, top = 10) => ({ left: 60, top, right: width - 14, bottom: height - 40 });

/** The loss over the epochs: runs over the band of a thousand seeds, the floor, and what the book printed. */
export function lossView(size, { runs: given, seeds, floor, log }) {
  const runs = given.map(toItsEnd);
  const above = (values) => (log ? values.map((loss) => loss - floor) : values);
  const most = Math.max(...runs.flatMap((run) => run.losses));
  const x = { domain: [0, Math.max(...runs.map((run) => run.epochs.at(-1)), 2)], label: 'epoch' };
  const high = Math.max(0.54, Math.min(1.2, Math.ceil(21 * most) / 20));
  const low = floor - (20 / (size.height - 70)) * (high - floor); // room for the floor's name
  const linear = { domain: [low, high], label: 'loss' };
  const on = plot(boxOf(size), x, log ? { domain: [1e-4, 1], log, label: 'loss above the floor' } : linear);
  const { epochs, scratch } = seeds.curves;
  const under = [
    band(epochs, above(scratch.least), above(scratch.most), on, 'all'),
    band(epochs, above(scratch['5 %']), above(scratch['95 %']), on, 'most'),
    line(epochs, above(scratch.median), on, 'median'),
    log ? '' : line(x.domain, [floor, floor], on, 'floor'),
  ];
  const curves = runs.map((run) => line(run.epochs, above(run.losses), on, `run ${run.kind}`)).toReversed();
  const leaves = runs.map(({ epochs: at, losses, kind }, row) => {
    const k = above(losses).findIndex((loss) => loss > on.y.domain[1]);
    return k < 0 ? '' : words('↑', on.X(at[Math.max(0, k - 1)]) + 3, on.box.top + 11 + 13 * row, 'start', kind);
  });
  const said = lossWords(on, seeds, floor, log);
  return [axes(on), clipped('under', on, under), clipped('loss', on, [curves, leaves]), said];
}

/** A run that diverges goes up at the step where it does. */
const toItsEnd = ({ epochs, losses, diverged, settings, kind }) =>
  diverged > 0
    ? { kind, epochs: [...epochs, (diverged * settings.batchSize) / settings.rows], losses: [...losses, 1e30] }
    : { kind, epochs, losses };

function lossWords(on, { book, runs }, floor, log) {
  const { right, left, top, bottom } = on.box;
  const [x, y] = [on.X(2), on.Y(book.scratch.loss - (log ? floor : 0))];
  const key = `band: ${runs.toLocaleString('en')} seeds of the section’s run, 5–95 % and all`;
  const printed = `the book: ${book.scratch.loss.toFixed(6)}`;
  const [side, anchor] = x - left < 150 ? [1, 'start'] : [-1, 'end'];
  return [
    right - left > 340 ? words(key, right - 4, top + 14, 'end', 'soft') : '',
    log ? '' : words(`least-squares floor ${floor.toFixed(4)}`, left + 6, on.Y(floor) + 15, 'start', 'soft'),
    log ? '' : `<path class="leader" d="M${pixel(x)} ${pixel(y - 8)}l${10 * side} -20"/>`,
    `<path class="diamond" d="M${pixel(x)} ${pixel(y - 6)}l5 6l-5 6l-5 -6z"/>`,
    words(printed, x + 8 * side, log ? Math.min(y + 24, bottom - 6) : y - 34, anchor, 'book'),
  ];
}

/** The distribution of final losses; `marks`: {loss, name, kind} of single runs. */
export function finalView(size, { counts, edges, marks, floor }) {
  const x = { domain: [edges[0], edges.at(-1)], label: 'final loss (last bin: all above)' };
  const on = plot(boxOf(size, 8 + 17 * marks.length), x, { domain: [0, 1.05 * Math.max(1, ...counts)], label: 'runs' });
  const [ground, at] = [on.box.bottom, edges.map((edge) => pixel(on.X(edge)))];
  const bars = counts.map((count, k) => `M${at[k]} ${ground}V${pixel(on.Y(count))}H${at[k + 1]}V${ground}`);
  return [
    axes(on),
    `<path class="bars" d="${bars.join('')}"/>`,
    floor > edges[0] - 1e-9 ? line([floor, floor], on.y.domain, on, 'floor') : '',
    marks.toSorted((one, other) => one.loss - other.loss).map((mark, row) => markOf(mark, row, on)),
  ];
}

/** A run's place on the axis, its name beside the line's upper end; dotted at the edge where it lies beyond. */
function markOf({ loss, name, kind }, row, { X, x, box }) {
  const y = 16 + 17 * row;
  const [before, after] = [loss < x.domain[0], !(loss <= x.domain[1])];
  const at = after ? box.right : Math.max(box.left, X(loss));
  const left = at > (box.left + 2 * box.right) / 3;
  const text = after ? `${name} →` : before ? `← ${name}` : name;
  const style = before || after ? `${kind} beyond` : kind;
  return [
    `<path class="mark ${style}" d="M${pixel(at)} ${y - 10}V${box.bottom}"/>`,
    words(text, left ? at - 5 : at + 5, y, left ? 'end' : 'start', kind),
  ];
}

/** The steps from 0 below `count` that are drawn: all, or every k-th where there are more than `most`. */
function thinned(count, most) {
  const stride = Math.ceil(count / most);
  return Array.from({ length: Math.ceil(count / stride) }, (_, k) => k * stride);
}

/** Above, an average of each weight over the steps; below, the step of each weight. `only`: one weight, or none. */
export function* keepsView(size, { steps, kept, keptName, move, moveName }, only) {
  const height = (size.height - 56) / 2;
  const at = thinned(steps, Math.max(150, size.width));
  const after = at.map((step) => step + 1);
  const shown = [...WEIGHTS.keys()].filter((k) => only === '' || k === Number(only));
  const draw = (value, label, top, guides) => {
    const series = shown.map((k) => at.map((step) => value(step, k)));
    const box = { left: 60, right: size.width - 14, top, bottom: top + height };
    const x = { domain: [1, Math.max(2, steps)], label: 'step' };
    const on = plot(box, x, { domain: range([...guides, ...series.flat()]), label });
    const across = guides.map((guide) => line(x.domain, [guide, guide], on, guide === 0 ? 'zero' : 'floor'));
    const lines = series.map((values, k) => line(after, values, on, `weight w${shown[k]}`));
    return [axes(on, value === kept), clipped(`weights-${top}`, on, [across, lines])];
  };
  yield* draw(kept, keptName, 6, [0]);
  yield* draw(move, moveName, 16 + height, [-1, 0, 1]);
}

/** Round limits around some values and 0, which stay the same while the values change a little. */
function range(values) {
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((one, other) => Math.min(one, other), 0);
  const high = finite.reduce((one, other) => Math.max(one, other), 0);
  const unit = 10 ** Math.floor(Math.log10(high - low || 1)) / 4;
  return [Math.floor(low / unit) * unit, Math.ceil(high / unit || 1) * unit];
}

/** The part of the plane that the path view shows: from -1 to 1 at least, equally long in both directions. */
export function pathPlot(size, names) {
  const box = boxOf(size);
  const [wide, high] = [box.right - box.left, box.bottom - box.top];
  const axis = (length, name) => {
    const reach = length / Math.min(wide, high);
    return { domain: [-reach, reach], label: `weight of ${name}` };
  };
  return plot(box, axis(wide, names[0]), axis(high, names[1]));
}

/** Paths of two weights over the contours of the loss, the other weights at their best. */
export function pathView(on, { runs, optimum, curvature, floor }) {
  const levels = [4.6, 3.2, 2.1, 1.3, 0.7, 0.3, 0.1, 0.02];
  const contours = levels.map((level) => ellipse(optimum, curvature, 2 * level * floor, on));
  const paths = runs.map(({ steps, at, kind }) => {
    const shown = [...thinned(steps, 4000 / runs.length), steps];
    const [xs, ys] = [0, 1].map((k) => shown.map((step) => at(step, k)));
    const [x, y] = [on.X(xs.at(-1)), on.Y(ys.at(-1))];
    const end = Number.isFinite(x + y) ? `<circle class="end ${kind}" cx="${pixel(x)}" cy="${pixel(y)}" r="3.5"/>` : '';
    return [line(xs, ys, on, `run ${kind}`), end];
  });
  const lowest = `<path class="lowest" d="M${pixel(on.X(optimum[0]))} ${pixel(on.Y(optimum[1]))}m-6 0h12m-6 -6v12"/>`;
  const key = words('+ least squares', on.box.right - 4, on.box.top + 14, 'end', 'soft');
  return [axes(on), clipped('contours', on, contours), clipped('path', on, [paths.toReversed(), lowest]), key];
}

/** Where the loss is `level` above its lowest: d' H d / 2 = level, with H = L L' (Cholesky) and d = L'^-1 u. */
function ellipse(centre, [[a, b], [, c]], level, on) {
  const l11 = Math.sqrt(a);
  const l21 = b / l11;
  const l22 = Math.sqrt(c - l21 * l21);
  const radius = Math.sqrt(2 * level);
  const angles = Array.from({ length: 73 }, (_, k) => (k / 72) * 2 * Math.PI);
  const dys = angles.map((angle) => (radius * Math.sin(angle)) / l22);
  const dxs = angles.map((angle, k) => (radius * Math.cos(angle) - l21 * dys[k]) / l11);
  const [xs, ys] = [dxs.map((dx) => centre[0] + dx), dys.map((dy) => centre[1] + dy)];
  return `<path class="contour" d="${path(xs, ys, on)}Z"/>`;
}
