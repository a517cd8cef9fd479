// A chart as SVG text: scales, ticks, axes, lines. Pure functions of numbers; a picture is a list of such texts.

/** A function from values to pixels. `log`: equal factors are equally long; what is below stays at the edge. */
export function scale([low, high], [from, to], log = false) {
  if (log) {
    const inner = scale([Math.log10(low), Math.log10(high)], [from, to]);
    return (value) => inner(Math.log10(Math.max(value, low)));
  }
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** About `count` round numbers, two at least, from low to high; on a log axis the powers of ten. */
export function ticks({ domain: [low, high], log }, count) {
  if (log) {
    return ticks({ domain: [Math.log10(low), Math.log10(high)] }, 4).map((exponent) => 10 ** exponent);
  }
  const rough = (high - low) / Math.max(4, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((unit) => unit * power).find((each) => each >= rough);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) => (first + k) * step);
}

/** A number as a reader writes it: 0.25, 1e-5, 2e6, −0.5. */
export function plain(value) {
  const rounded = Number(value.toPrecision(4));
  const isShort = rounded === 0 || (Math.abs(rounded) >= 1e-3 && Math.abs(rounded) < 1e5);
  return (isShort ? String(rounded) : rounded.toExponential()).replace(/^-/, '−').replace('+', '');
}

export const pixel = (value) => Math.round(value * 10) / 10;

/** Where to draw, and how: `x` and `y` are {domain, log, label}; `box` has the pixels left, top, right, bottom. */
export function plot(box, x, y) {
  const { left, top, right, bottom } = box;
  return { box, x, y, X: scale(x.domain, [left, right], x.log), Y: scale(y.domain, [bottom, top], y.log) };
}

/** The grid, the numbers and the labels of both axes. `quiet`: no words along x. */
export function axes({ box, x, y, X, Y }, quiet = false) {
  const up = ticks(y, (box.bottom - box.top) / 40).map((value) => [
    `<path class="grid" d="M${box.left} ${pixel(Y(value))}H${box.right}"/>`,
    words(plain(value), box.left - 6, Y(value) + 4, 'end'),
  ]);
  const across = ticks(x, (box.right - box.left) / 72).map((value) => [
    `<path class="grid" d="M${pixel(X(value))} ${box.top}V${box.bottom}"/>`,
    quiet ? '' : words(plain(value), X(value), box.bottom + 16, 'middle'),
  ]);
  const place = `translate(11 ${pixel((box.top + box.bottom) / 2)}) rotate(-90)`;
  const labels = [
    quiet ? '' : words(x.label, (box.left + box.right) / 2, box.bottom + 33, 'middle', 'soft'),
    `<text class="soft" text-anchor="middle" transform="${place}">${y.label}</text>`,
  ];
  return [up, across, labels];
}

/** The path through some points, as `d`; far outside of the plot it stays within what every browser draws. */
export function path(xs, ys, { X, Y }) {
  const at = (value) => pixel(Math.max(-5000, Math.min(5000, value)));
  let d = '';
  for (let k = 0; k < xs.length; k++) {
    const [x, y] = [X(xs[k]), Y(ys[k])];
    d += Number.isFinite(x + y) ? `${d ? 'L' : 'M'}${at(x)} ${at(y)}` : '';
  }
  return d;
}

export const line = (xs, ys, on, kind) => `<path class="line ${kind}" d="${path(xs, ys, on)}"/>`;

/** What lies between two curves. */
export function band(xs, lows, highs, on, kind) {
  const d = path([...xs, ...xs.toReversed()], [...highs, ...lows.toReversed()], on);
  return `<path class="band ${kind}" d="${d}Z"/>`;
}

export function words(text, x, y, anchor = 'start', kind = '') {
  const safe = text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<text class="${kind}" x="${pixel(x)}" y="${pixel(y)}" text-anchor="${anchor}">${safe}</text>`;
}

/** Cuts what is drawn at the plot's edge; `name` must differ from chart to chart. */
export function clipped(name, { box: { left, top, right, bottom } }, content) {
  const edge = `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/>`;
  return [`<clipPath id="clip-${name}">${edge}</clipPath><g clip-path="url(#clip-${name})">`, content, '</g>'];
}
