/**
 * How long runs took, as a sketch (DDSketch: https://arxiv.org/abs/1908.10693) that can be merged with any other and is good to 1 %. Its
 * bins are the steps of core/report/pace.ts, so that sketches and the histograms of reports can be added up.
 *
 * Kept as bytes of our own: of the few bins that are not empty the distance to the one before and the count, mostly one byte for both. The
 * library's form has 8 bytes for every bin between the first and the last. Sketches written one after the other are read as their sum.
 */
import { DDSketch } from '@datadog/sketches-js';
import { pushNumber, readNumber } from './bytes.ts';
import { type Histogram, STEP_RATIO } from './report/pace.ts';

export type Sketch = DDSketch;

/** So that a bin is 2 % wide. */
const RELATIVE_ACCURACY = (STEP_RATIO - 1) / (STEP_RATIO + 1);

/** A sketch of durations in milliseconds; what is below 1 ms counts as 1 ms. */
export function sketchOf(durationsMs: Iterable<number> = []): Sketch {
  const sketch = new DDSketch({ relativeAccuracy: RELATIVE_ACCURACY });
  for (const durationMs of durationsMs) sketch.accept(Math.max(1, durationMs));
  return sketch;
}

/** The duration that `share` of the runs did not exceed, milliseconds; `undefined` without runs. */
export function quantileMs(sketch: Sketch, share: number): number | undefined {
  return sketch.count === 0 ? undefined : sketch.getValueAtQuantile(share);
}

/** The same counts as a histogram of the report. */
export function histogramOf(sketch: Sketch): Histogram {
  // A bin holds what is above the last step and up to this one; a step of a histogram begins where its number says.
  return new Map(binsOf(sketch).map(([key, count]) => [key - 1, count]));
}

function binsOf({ store }: Sketch): [key: number, count: number][] {
  return store.bins.flatMap((count, index): [number, number][] => (count > 0 ? [[index + store.offset, count]] : []));
}

/** The sketch as bytes; `undefined` when nothing is in it. */
export function encodeSketch(sketch: Sketch): Uint8Array | undefined {
  const bins = binsOf(sketch);
  if (bins.length === 0) return undefined;
  const bytes: number[] = [];
  pushNumber(bytes, bins.length);
  let last = 0;
  for (const [key, count] of bins) {
    // The lowest bit says whether a count follows; without one it is 1.
    pushNumber(bytes, (key - last) * 2 + (count > 1 ? 1 : 0));
    if (count > 1) pushNumber(bytes, count);
    last = key;
  }
  return Uint8Array.from(bytes);
}

/** The sum of the sketches in these bytes. Throws when they are not of that form. */
export function decodeSketch(bytes: Uint8Array): Sketch {
  const sketch = sketchOf();
  const reader = { bytes, at: 0 };
  while (reader.at < bytes.length) {
    let key = 0;
    for (let bins = readNumber(reader); bins > 0; bins--) {
      const step = readNumber(reader);
      key += Math.floor(step / 2);
      sketch.accept(sketch.mapping.value(key), step % 2 === 1 ? readNumber(reader) : 1);
    }
  }
  return sketch;
}
