// The page: from what a reader touches to a training and the next picture.
import { MOST_PINS, parse, VIEW, write } from './address.mjs';
import { asPython } from './python.mjs';
import { trained, trainSeeds } from './runs.mjs';
import { CHOICES, complete, decode, encode, limits, NUMBERS, read, withRule } from './settings.mjs';
import { $, showRuns, showSettings, showViews, sizes, state, view, within } from './shown.mjs';
import { pathPlot, WEIGHTS } from './views.mjs';
import { lineOf, verdict } from './words.mjs';

// ---- from a change to the next picture

/** Trains with other settings, once before the next frame, however often they change until then. */
function change(settings) {
  state.settings = settings;
  state.run = null;
  refresh();
}

function refresh() {
  state.frame ||= requestAnimationFrame(draw);
}

function draw() {
  state.frame = 0;
  state.run ??= trained(state.settings);
  const seeds = withoutSeed(state.settings);
  if (state.thousand?.of !== seeds) {
    state.thousand = null;
  }
  if (state.worker && state.worker.of !== seeds) {
    stopWorker();
  }
  showSettings();
  showRuns();
  showViews();
  sayLater();
}

const withoutSeed = (settings) => encode({ ...settings, seed: complete().seed });

/** The run's start, which the settings may hold before the run is made. */
const startNow = () => Array.from(state.settings.start ?? state.run.trace.p.subarray(0, 6));

function startAt(across, up) {
  const start = startNow().map((value) => Number(value.toFixed(4)));
  start[view.first] = Number(within(across, [-100, 100]).toFixed(3));
  start[view.second] = Number(within(up, [-100, 100]).toFixed(3));
  change({ ...state.settings, start });
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function onHandleKey(event) {
  const arrow = ARROWS[event.key];
  if (arrow) {
    event.preventDefault();
    const [start, stride] = [startNow(), event.shiftKey ? 0.01 : 0.05];
    startAt(start[view.first] + stride * arrow[0], start[view.second] + stride * arrow[1]);
  }
}

function onHandleMove({ pointerId, clientX, clientY }) {
  if ($('handle').hasPointerCapture(pointerId)) {
    const svg = $('handle').ownerSVGElement;
    const { left, top } = svg.getBoundingClientRect();
    const { x, y, box } = pathPlot(sizes.get('path-view'), ['', '']);
    const unit = (x.domain[1] - x.domain[0]) / (box.right - box.left);
    const across = x.domain[0] + unit * (clientX - left - box.left);
    startAt(within(across, x.domain), within(y.domain[1] - unit * (clientY - top - box.top), y.domain));
  }
}

function onThousand() {
  if (state.worker) {
    stopWorker();
    return;
  }
  const of = withoutSeed(state.settings);
  const finish = (found) => {
    stopWorker();
    state.thousand = { of, ...found };
    refresh();
  };
  const showProgress = (part, left) => {
    $('progress').value = part;
    $('thousand').textContent = `Stop, ${Math.ceil(left)} s left`;
  };
  state.worker = { of, stop: trainSeeds(state.settings, showProgress, finish) };
  $('progress').classList.add('busy');
  $('thousand').textContent = 'Stop';
}

function stopWorker() {
  state.worker.stop();
  state.worker = null;
  $('progress').value = 0;
  $('progress').classList.remove('busy');
  $('thousand').textContent = 'Train 1,000 seeds';
}

// ---- the address, and what a screen reader is told

/** A while after the last change: browsers refuse a new address at every frame, listeners a new result. */
function sayLater() {
  clearTimeout(state.timer);
  const ranked = state.thousand ? $('ranks').textContent : '';
  const words = `${state.news} ${lineOf(state.run).split(',')[0]}. ${verdict(state.run)} ${ranked}`.trim();
  state.timer = setTimeout(() => {
    $('said').textContent = words;
    state.news = '';
    if (location.hash.slice(1) !== address() && (address() || location.hash.includes('='))) {
      history.replaceState(null, '', `#${address()}`);
    }
  }, 300);
}

const address = () => write(state.settings, state.pins, view);

function readAddress() {
  const found = parse(location.hash.slice(1));
  if (found) {
    Object.assign(view, found.view);
    state.typed = '';
    $('problem').textContent = found.ignored.length ? `Ignored: ${found.ignored.join(', ')}` : '';
    state.pins = found.pins.map(trained);
    change(found.settings);
  }
}

// ---- what a reader touches

function onSetting({ target, type }) {
  const key = target.id.replace('-slider', '');
  state.typed = type === 'input' ? target.id : '';
  const value = target.type === 'range' ? NUMBERS[key].stops[target.value] : read(key, target.value);
  target.setAttribute('aria-invalid', value === undefined);
  $('problem').textContent = value === undefined ? limits(key) : '';
  if (value !== undefined) {
    change(key === 'rule' ? withRule(state.settings, value) : { ...state.settings, [key]: value });
  }
}

/** A weight that is chosen for both axes leaves the other one its place. */
function onView({ target: { id, value } }) {
  const other = { first: 'second', second: 'first' }[id];
  if (value === view[other]) {
    view[other] = view[id];
  }
  view[id] = value;
  refresh();
}

function onUnpin({ target }) {
  if (target.dataset.unpin) {
    state.pins.splice(Number(target.dataset.unpin) - 1, 1);
    state.news = 'Unpinned.';
    refresh();
    $('pin').focus();
  }
}

/** Copies, and says so on the button; `otherwise` where the browser does not allow it. */
async function copy(button, text, otherwise) {
  const name = (button.dataset.name ??= button.textContent);
  const failed = await navigator.clipboard.writeText(text).catch(() => otherwise);
  button.textContent = failed ?? 'Copied';
  $('python').open ||= button.id === 'copy-python';
  $('said').textContent = button.textContent;
  setTimeout(() => button.replaceChildren(name), 1500);
}

function onTry(event) {
  const link = event.target.closest('a[data-try]');
  if (link) {
    event.preventDefault();
    history.pushState(null, '', link.getAttribute('href'));
    readAddress();
    $('lab').scrollIntoView();
    $('rule').focus({ preventScroll: true });
  }
}

const CLICKS = {
  pin: () => {
    const isFull = state.pins.length === MOST_PINS;
    state.news = isFull ? 'No place is left: unpin a run first.' : `Pinned, ${state.pins.length + 1} of ${MOST_PINS}.`;
    state.pins = [...state.pins, state.run].slice(0, MOST_PINS);
    refresh();
  },
  reset: () => change(complete()),
  thousand: onThousand,
  runs: onUnpin,
  'seeds-start': () => change({ ...state.settings, start: undefined }),
  'copy-python': ({ target }) => copy(target, asPython(state.settings), 'It stands below'),
  'copy-link': ({ target }) => copy(target, `${location.href.split('#')[0]}#${address()}`, 'It is the address'),
};

function fill() {
  for (const [key, { stops }] of Object.entries(NUMBERS)) {
    $(`${key}-slider`).max = stops.length - 1;
  }
  for (const [key, texts] of Object.entries(CHOICES)) {
    $(key).append(...Object.entries(texts).map(([value, [text]]) => new Option(text, value)));
  }
  for (const id of ['only', 'first', 'second']) {
    $(id).append(...WEIGHTS.map((name, k) => new Option(name, k)));
  }
}

function listen() {
  for (const [id, action] of Object.entries(CLICKS)) {
    $(id).addEventListener('click', action);
  }
  for (const id of Object.keys(VIEW)) {
    $(id).addEventListener('change', onView);
  }
  $('controls').addEventListener('input', onSetting);
  $('controls').addEventListener('change', onSetting);
  $('controls').addEventListener('submit', (event) => event.preventDefault());
  $('handle').addEventListener('keydown', onHandleKey);
  $('handle').addEventListener('pointerdown', ({ pointerId }) => $('handle').setPointerCapture(pointerId));
  $('handle').addEventListener('pointermove', onHandleMove);
  document.addEventListener('click', onTry);
  window.addEventListener('popstate', readAddress);
  window.addEventListener('beforeprint', () => unfold(true));
  window.addEventListener('afterprint', () => unfold(false));
}

/** Opens what is folded while the page is printed. */
function unfold(open) {
  for (const each of document.querySelectorAll(open ? 'details:not([open])' : 'details.printed')) {
    each.open = open;
    each.classList.toggle('printed', open);
  }
}

/** The pixels of each view, now and whenever they change. */
function measure() {
  for (const svg of document.querySelectorAll('.view svg')) {
    const { width, height } = svg.getBoundingClientRect();
    sizes.set(svg.parentNode.id, { width, height });
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  }
  refresh();
}

trained(complete()); // the first training pays for its own compiling
fill();
listen();
measure();
readAddress();
new ResizeObserver(measure).observe($('lab'));

/** For the console, and for the tests. */
window.lab = { state, view, address, python: () => asPython(state.settings), set: (text) => change(decode(text)) };
