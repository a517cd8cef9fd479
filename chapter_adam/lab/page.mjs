// The page: from what a reader touches to a training and the next picture.
import { MOST_PINS, parse, write } from './address.mjs';
import { asPython } from './python.mjs';
import { tracedRun, trainSeeds } from './runs.mjs';
import { complete, decode, encode, limits, NUMBERS, PERIODIC, read, withRule } from './settings.mjs';
import { $, pathPlotOf, showHandle, showPeriodic, showRuns, showSettings, showView } from './shown.mjs';
import { sizes, startNow, state, view, within } from './shown.mjs';
import { runToEnd } from './training.mjs';
import { lineOf, verdict } from './words.mjs';

/** The class `waiting` hides the chapter and the exercises (lab.css) until the first curve is painted. */
const { classList } = document.documentElement;

// ---- from a change to the next picture

function change(settings, problem = '') {
  state.settings = settings;
  $('problem').textContent = problem;
  refresh();
}

/** Whatever changes until the next frame, there is one picture; the first one comes when the views have their sizes. */
function refresh() {
  state.isStale = true;
  state.frame ||= sizes.size && requestAnimationFrame(draw);
}

/**
 * Spends 6 ms of a frame on `state.work`. A change meanwhile shows in the controls at once; the pictures of the older
 * settings are finished first: if each change began anew, a drag of a long run would never show any.
 */
function draw() {
  const end = performance.now() + (classList.contains('waiting') ? 0 : 6); // one piece of work comes after it
  cancelAnimationFrame(state.frame);
  showSettings();
  if (!state.work) {
    [state.work, state.isStale] = [work(), false];
  }
  do {
    state.work = state.work.next().done ? null : state.work;
  } while (state.work && performance.now() < end);
  showHandle();
  state.frame = state.work || state.isStale ? requestAnimationFrame(draw) : 0;
}

/** From the settings to the pictures; it yields where a frame may end. */
function* work() {
  if (state.run?.settings !== state.settings) {
    state.run = yield* tracedRun(state.settings);
  }
  const seeds = keyWithoutSeed(state.settings);
  if (state.thousand?.of !== seeds) {
    state.thousand = null;
  }
  if (state.worker && state.worker.of !== seeds) {
    stopWorker();
  }
  showRuns();
  for (const id of ['loss-view', 'final-view', 'keeps-view', 'path-view']) {
    yield* showView(id);
  }
  yield* showPeriodic();
  sayLater();
}

const keyWithoutSeed = (settings) => encode({ ...settings, seed: complete().seed });

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
    const { x, y, box } = pathPlotOf(sizes.get('path-view'));
    const unit = (x.domain[1] - x.domain[0]) / (box.right - box.left);
    const across = x.domain[0] + unit * (clientX - left - box.left);
    startAt(within(across, x.domain), within(y.domain[1] - unit * (clientY - top - box.top), y.domain));
  }
}

function startWorker() {
  const of = keyWithoutSeed(state.settings);
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
    state.pins = found.pins.map((settings) => runToEnd(tracedRun(settings)));
    change(found.settings, found.ignored.length ? `Ignored: ${found.ignored.join(', ')}` : '');
  }
  return found;
}

// ---- what a reader touches

function onInput({ target, type }) {
  const key = target.id.replace('-slider', '');
  const value = target.type === 'range' ? NUMBERS[key].stops[target.value] : read(key, target.value);
  state.typed = type === 'input' ? target.id : '';
  target.setAttribute('aria-invalid', value === undefined);
  $(key in PERIODIC ? 'period-problem' : 'problem').textContent = value === undefined ? limits(key) : '';
  if (value !== undefined && key in view) {
    look(key, String(value));
  } else if (value !== undefined) {
    change(key === 'rule' ? withRule(state.settings, value) : { ...state.settings, [key]: value });
  }
}

/** A weight that is chosen for both axes leaves the other one its place. */
function look(key, value) {
  const other = { first: 'second', second: 'first' }[key];
  if (value === view[other]) {
    view[other] = view[key];
  }
  view[key] = value;
  refresh();
}

/** Copies, and says so on the button; `otherwise` where the browser does not allow it. */
async function copy(button, text, otherwise) {
  const name = (button.dataset.name ??= button.textContent);
  const write = async () => navigator.clipboard.writeText(text); // a page from http:// has no clipboard
  button.textContent = (await write().catch(() => otherwise)) ?? 'Copied';
  $('python').open ||= button.id === 'copy-python';
  $('said').textContent = button.textContent;
  setTimeout(() => button.replaceChildren(name), 1500);
}

/** A link of an exercise leads to the lab, or to a figure of the exercise's own. */
function onClick(event) {
  const link = event.target.closest('a[data-try]');
  if (link) {
    event.preventDefault();
    history.pushState(null, '', link.getAttribute('href'));
    readAddress();
    const [place, first] = link.hash.includes('period') ? ['period-view', 'period'] : ['lab', 'rule'];
    $(place).scrollIntoView();
    $(first).focus({ preventScroll: true });
  }
  CLICKS[event.target.closest('[id]')?.id]?.(event);
}

const CLICKS = {
  pin: () => {
    const isFull = state.pins.length === MOST_PINS;
    state.news = isFull ? 'No place is left: unpin a run first.' : `Pinned, ${state.pins.length + 1} of ${MOST_PINS}.`;
    $('problem').textContent = isFull ? state.news : '';
    state.pins = [...state.pins, state.run].slice(0, MOST_PINS);
    refresh();
  },
  reset: () => change(complete()),
  'period-reset': () => {
    Object.assign(view, PERIODIC);
    refresh();
  },
  thousand: () => (state.worker ? stopWorker() : startWorker()),
  runs: ({ target }) => {
    if (target.dataset.unpin) {
      state.pins.splice(Number(target.dataset.unpin) - 1, 1);
      state.news = 'Unpinned.';
      refresh();
      $('pin').focus();
    }
  },
  'seeds-start': () => change({ ...state.settings, start: undefined }),
  'copy-python': ({ target }) => copy(target, asPython(state.settings), 'It stands below'),
  'copy-link': ({ target }) => copy(target, `${location.href.split('#')[0]}#${address()}`, 'It is the address'),
};

/** What is further down than this script is not there yet: the document listens. */
function listen() {
  document.addEventListener('input', onInput);
  document.addEventListener('change', onInput);
  document.addEventListener('click', onClick);
  document.addEventListener('submit', (event) => event.preventDefault());
  document.addEventListener('DOMContentLoaded', observe);
  $('handle').addEventListener('keydown', onHandleKey);
  $('handle').addEventListener('pointerdown', ({ pointerId }) => $('handle').setPointerCapture(pointerId));
  $('handle').addEventListener('pointermove', onHandleMove);
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

/** The pixels of some views, which are drawn before the browser shows them. */
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const { width, height } = contentRect;
    sizes.set(target.parentNode.id, { width, height });
    target.setAttribute('viewBox', `0 0 ${width} ${height}`);
  }
  state.isStale = true;
  draw();
});
const observe = () => document.querySelectorAll('.view svg').forEach((svg) => observer.observe(svg));

listen();
const linked = readAddress();
state.run = runToEnd(tracedRun(state.settings)); // so that there is a curve in the first picture
showSettings();
showRuns();
observe();
if (linked) {
  classList.add('waiting'); // a link to a heading leads there at once
  requestAnimationFrame(() => setTimeout(() => classList.remove('waiting'), 50));
}

/** For the console, and for the tests. */
window.lab = { state, view, address, python: () => asPython(state.settings), set: (text) => change(decode(text)) };
