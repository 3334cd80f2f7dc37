/** Where the time of a profiled process went: own time by function, and by package. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

const TOP_FUNCTIONS = 15;
const TOP_PLACES = 8;

/** The functions and places with the most own time, as lines. Waiting is left out. Reads every `.cpuprofile` in the folder. */
export function profileInWords(folder: string): string[] {
  const byFunction = new Map<string, number>();
  const byPlace = new Map<string, number>();
  const files = readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'));
  for (const file of files) addUp(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, byFunction, byPlace);
  const totalMs = [...byPlace.values()].reduce((sum, one) => sum + one, 0);
  return [`${Math.round(totalMs)} ms of work`, ...top(byPlace, totalMs, TOP_PLACES), ...top(byFunction, totalMs, TOP_FUNCTIONS)];
}

function addUp({ nodes, samples, timeDeltas }: CpuProfile, byFunction: Map<string, number>, byPlace: Map<string, number>): void {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  samples.forEach((id, index) => {
    const frame = frames.get(id);
    if (!frame || frame.functionName === '(idle)') return;
    const ms = (timeDeltas[index] ?? 0) / 1000;
    const place = placeOf(frame.url);
    const line = frame.url === '' ? '' : ` ${shortened(frame.url)}:${frame.lineNumber + 1}`;
    add(byPlace, place, ms);
    add(byFunction, `${frame.functionName || '(anonymous)'}${line}`, ms);
  });
}

function add(sums: Map<string, number>, key: string, ms: number): void {
  sums.set(key, (sums.get(key) ?? 0) + ms);
}

function placeOf(url: string): string {
  if (url === '') return 'V8 and native code';
  if (url.startsWith('node:')) return 'Node';
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  return dependency ?? 'Rounds';
}

function shortened(url: string): string {
  return url.replace(/^file:\/\/.*\/node_modules\//, '').replace(/^file:\/\/.*\/(?=(?:core|probes|store|jobs|agents|cli|http)\/)/, '');
}

function top(sums: ReadonlyMap<string, number>, totalMs: number, count: number): string[] {
  const sorted = [...sums].sort(([, a], [, b]) => b - a).slice(0, count);
  return sorted.map(([name, ms]) => `${((100 * ms) / totalMs).toFixed(1).padStart(6)} %  ${name}`);
}
