// NumPy's `default_rng(seed)`, bit for bit: SeedSequence, PCG64, and two methods of its Generator.
//
// O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number Generation",
// 2014. Numbers of 64 and 128 bits are 32-bit words, the lowest first: BigInt takes twenty times as long.

const WORD = 2 ** 32;
const [m0, m1, m2, m3] = [0x9fccf645, 0x4385df64, 0x1fc65da4, 0x2360ed05];

/** A generator whose numbers are those of `np.random.default_rng(seed)`, for whole seeds from 0 to 2^53 - 1. */
export class Generator {
  constructor(seed) {
    const words = seedWords(seed);
    // NumPy's 64-bit words come in the order high, low.
    const [start, stream] = [0, 4].map((k) => Uint32Array.of(words[k + 2], words[k + 3], words[k], words[k + 1]));
    this.increment = stream.map((word, k) => (word << 1) | (k && stream[k - 1] >>> 31));
    this.increment[0] |= 1;
    this.state = sum(start, this.increment);
    this.bits = new Int32Array(2); // the last 64 random bits, the low half first
    this.spare = new Int32Array(1); // a high half that waits for the next call of `word`
    this.hasSpare = false;
    advance(this.state, this.increment);
  }

  /** Draws 64 bits: the halves of the state, xored and turned right by its six highest bits. */
  draw() {
    const { state, bits } = this;
    advance(state, this.increment);
    const turn = state[3] >>> 26;
    const swap = turn >>> 5;
    const low = state[swap] ^ state[2 + swap];
    const high = state[1 - swap] ^ state[3 - swap];
    const left = 31 - (turn & 31); // shifts are modulo 32, so one by 32 - turn is made in two
    bits[0] = (low >>> turn) | ((high << 1) << left);
    bits[1] = (high >>> turn) | ((low << 1) << left);
  }

  word() {
    if (this.hasSpare) {
      this.hasSpare = false;
      return this.spare[0];
    }
    this.draw();
    this.hasSpare = true;
    this.spare[0] = this.bits[1];
    return this.bits[0];
  }

  /** A number from 0 to below 1, a multiple of 2^-53. */
  random() {
    this.draw();
    const [low, high] = this.bits;
    return ((high >>> 0) * 2 ** 21 + (low >>> 11)) * 2 ** -53;
  }

  /** `count` numbers from the normal distribution. */
  normal(mean, deviation, count) {
    return Float64Array.from({ length: count }, () => mean + deviation * standardNormal(this));
  }

  /** The numbers from 0 to n - 1 in random order: Fisher and Yates' shuffle, from the end. */
  permutation(n) {
    const order = new Int32Array(n).map((_, k) => k);
    for (let last = n - 1; last > 0; last--) {
      const mask = -1 >>> Math.clz32(last);
      let other;
      do {
        other = this.word() & mask;
      } while (other > last);
      const value = order[other];
      order[other] = order[last];
      order[last] = value;
    }
    return order;
  }
}

/** state <- MULTIPLIER state + increment, modulo 2^128. */
function advance(state, increment) {
  const s0 = state[0];
  const s1 = state[1];
  const s2 = state[2];
  const s3 = state[3];
  const c0 = low(s0, m0) + increment[0];
  const c1 = high(s0, m0) + low(s0, m1) + low(s1, m0) + increment[1] + carry(c0);
  const c2 = high(s0, m1) + high(s1, m0) + low(s0, m2) + low(s1, m1) + low(s2, m0) + increment[2] + carry(c1);
  const c3 = high(s0, m2) + high(s1, m1) + high(s2, m0) + low(s0, m3) + low(s1, m2) + low(s2, m1) + low(s3, m0);
  state[0] = c0;
  state[1] = c1;
  state[2] = c2;
  state[3] = c3 + increment[3] + carry(c2);
}

const low = (a, b) => Math.imul(a, b) >>> 0;
// The product is rounded by less than 2^11, which 2^32 divides to less than a half.
const high = (a, b) => Math.floor((a * b - low(a, b)) / WORD + 0.5);
const carry = (sum) => Math.floor(sum / WORD);

/** a + b modulo 2^128. */
function sum(a, b) {
  let total = 0;
  return a.map((word, k) => (total = word + b[k] + carry(total)));
}

/** NumPy's SeedSequence(seed).generate_state(4, np.uint64), as eight words. */
function seedWords(seed) {
  const pool = Uint32Array.of(seed, seed / WORD, 0, 0);
  const mix = hash(0x43b0d7e5, 0x931e8875);
  pool.forEach((word, k) => (pool[k] = mix(word)));
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from !== to) {
        pool[to] = fold(Math.imul(0xca01f9dd, pool[to]) - Math.imul(0x4973f715, mix(pool[from])));
      }
    }
  }
  const spread = hash(0x8b51f9dd, 0x58f38ded);
  return Uint32Array.from({ length: 8 }, (_, k) => spread(pool[k % 4]));
}

/** A hash of words that differs from call to call: its constant is multiplied each time. */
function hash(constant, multiplier) {
  return (word) => {
    const mixed = word ^ constant;
    constant = Math.imul(constant, multiplier);
    return fold(Math.imul(mixed, constant));
  };
}

const fold = (word) => (word ^ (word >>> 16)) >>> 0;

// The ziggurat of Marsaglia & Tsang, 2000: 256 layers of one area under exp(-x^2 / 2). Layer k is as wide as
// `WIDTHS[k]`; the lowest, 0, has the tail beyond EDGE, and is as wide as a rectangle of its area would be.

const EDGE = 3.654152885361009;
const AREA = 0.004928673233974655;
const density = (x) => Math.exp(-0.5 * x * x);
const WIDTHS = new Float64Array(256);
WIDTHS[255] = EDGE;
for (let k = 254; k > 0; k--) {
  WIDTHS[k] = Math.sqrt(-2 * Math.log(density(WIDTHS[k + 1]) + AREA / WIDTHS[k + 1]));
}
const HEIGHTS = WIDTHS.map(density);
WIDTHS[0] = AREA / density(EDGE);
/** The part of a layer that lies under the curve in its whole height. */
const INNER = WIDTHS.map((width, k) => (k === 0 ? EDGE : k === 1 ? 0 : WIDTHS[k - 1]) / width);

function standardNormal(generator) {
  for (;;) {
    generator.draw();
    const [bits, upper] = generator.bits;
    const layer = bits & 0xff;
    const sign = bits & 0x100 ? -1 : 1;
    const fraction = ((upper & 0x1fffffff) * 2 ** 23 + (bits >>> 9)) * 2 ** -52;
    const x = fraction * WIDTHS[layer];
    if (fraction < INNER[layer]) {
      return sign * x;
    }
    if (layer === 0) {
      return (bits & 0x20000 ? -1 : 1) * tail(generator);
    }
    const [bottom, top] = [HEIGHTS[layer], HEIGHTS[layer - 1]];
    if (bottom + (top - bottom) * generator.random() < density(x)) {
      return sign * x;
    }
  }
}

/** A normal number beyond EDGE. */
function tail(generator) {
  for (;;) {
    const x = -Math.log1p(-generator.random()) / EDGE;
    const y = -Math.log1p(-generator.random());
    if (2 * y > x * x) {
      return EDGE + x;
    }
  }
}
