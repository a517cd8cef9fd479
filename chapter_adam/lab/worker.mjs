// A web worker's body: many seeds of one setting, while the page stays alive.
//
// It takes one message {raw, settings, first, count} and posts {done, total, losses} for each chunk of runs, `losses`
// those of the chunk. To stop it, terminate it.
import { finalLosses, prepare } from './training.mjs';

const CHUNK = 25;

self.onmessage = ({ data: { raw, settings, first, count } }) => {
  const data = prepare(raw, settings.rows);
  for (let done = 0; done < count;) {
    const runs = Math.min(CHUNK, count - done);
    const losses = finalLosses(data, settings, first + done, runs);
    done += runs;
    self.postMessage({ done, total: count, losses });
  }
};
