// A web worker's body: many seeds of one setting, while the page stays alive.
//
// It takes one message {data, settings, count} and posts the final losses of the seeds from 0 on in chunks, NaN where a
// run has diverged. To stop it, terminate it.
import { train } from './training.mjs';

const CHUNK = 25;

self.onmessage = ({ data: { data, settings, count } }) => {
  for (let first = 0; first < count; first += CHUNK) {
    const seeds = Array.from({ length: Math.min(CHUNK, count - first) }, (_, k) => first + k);
    self.postMessage(seeds.map((seed) => train(data, { ...settings, seed }).finalLoss));
  }
};
