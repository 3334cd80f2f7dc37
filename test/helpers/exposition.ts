/**
 * Reads Prometheus' text format strictly, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats): whatever a scraper
 * could stumble over is an error with the line in it.
 */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';
  samples: Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/;
// prom-client writes Nan, which Go's ParseFloat takes as well.
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|Na[nN])$/;
const SUFFIXES: Record<Family['type'], RegExp> = {
  histogram: /_(bucket|sum|count)$/,
  summary: /_(sum|count)$/,
  counter: /(?!)/,
  gauge: /(?!)/,
  untyped: /(?!)/,
};

/** The metrics of a page. Throws for the first line that is not as the format has it. */
export function parseExposition(text: string): Family[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: Family | undefined;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    try {
      if (line.startsWith('#')) current = comment(line, current, families);
      else add(sample(line), current, seen);
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${line}`, { cause: error });
    }
  }
  for (const family of families.values()) if (family.type === 'histogram') holdHistogram(family);
  return [...families.values()];
}

function comment(line: string, current: Family | undefined, families: Map<string, Family>): Family {
  const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
  if (kind === undefined) throw new Error('neither HELP nor TYPE');
  if (NAME.exec(name)?.[0] !== name) throw new Error('not a name');
  if (kind === 'HELP') {
    if (families.has(name)) throw new Error('a metric that stands there twice');
    if (/\\(?![\\n])/.test(rest)) throw new Error('an escape that is none');
    const family: Family = { name, help: rest, type: 'untyped', samples: [] };
    families.set(name, family);
    return family;
  }
  if (current?.name !== name || current.samples.length > 0 || current.type !== 'untyped') throw new Error('TYPE does not follow its HELP');
  if (!/^(counter|gauge|histogram|summary|untyped)$/.test(rest)) throw new Error('not a type');
  current.type = rest as Family['type'];
  return current;
}

function sample(line: string): Sample {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw new Error('not a name');
  const { labels, rest } = labelsOf(line.slice(name.length));
  const [value = '', ...more] = rest.trim().split(/\s+/);
  if (!NUMBER.test(value)) throw new Error('not a number');
  if (more.length > 1 || (more[0] !== undefined && !/^-?\d+$/.test(more[0]))) throw new Error('not a timestamp');
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function labelsOf(text: string): { labels: Record<string, string>; rest: string } {
  const labels: Record<string, string> = {};
  if (!text.startsWith('{')) return { labels, rest: text };
  let rest = text.slice(1);
  while (!rest.startsWith('}')) {
    const [whole, label = '', value = ''] = LABEL.exec(rest) ?? [];
    if (whole === undefined) throw new Error('not a label');
    if (label in labels) throw new Error('a label that stands there twice');
    if (label.startsWith('__')) throw new Error('a reserved label');
    labels[label] = value.replaceAll(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(whole.length);
    if (rest.startsWith(',')) rest = rest.slice(1);
    else if (!rest.startsWith('}')) throw new Error('labels that do not end');
  }
  return { labels, rest: rest.slice(1) };
}

function add(one: Sample, family: Family | undefined, seen: Set<string>): void {
  const own =
    family && (one.name === family.name ? family.type !== 'histogram' : one.name.replace(SUFFIXES[family.type], '') === family.name);
  if (!family || !own) throw new Error('a sample that stands under another metric');
  const key = `${one.name} ${JSON.stringify(Object.entries(one.labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
  if (seen.has(key)) throw new Error('a series that stands there twice');
  seen.add(key);
  if (family.type === 'counter' && !(one.value >= 0)) throw new Error('a counter below 0');
  family.samples.push(one);
}

/** Buckets rise to the one of all, which is the count; sum and count are there for each. */
function holdHistogram({ name, samples }: Family): void {
  const keyOf = ({ labels: { le: _le, ...rest } }: Sample) => JSON.stringify(Object.entries(rest).sort());
  for (const [key, group] of Map.groupBy(samples, keyOf)) {
    const buckets = group.filter((one) => one.name === `${name}_bucket`);
    const bounds = buckets.map((one) => Number((one.labels.le ?? '').replace('Inf', 'Infinity')));
    const count = group.find((one) => one.name === `${name}_count`);
    if (bounds.some((bound, index) => Number.isNaN(bound) || (index > 0 && bound <= bounds[index - 1]!)))
      throw new Error(`${name}${key}: the bounds do not rise`);
    if (buckets.some((one, index) => index > 0 && one.value < buckets[index - 1]!.value))
      throw new Error(`${name}${key}: the buckets do not rise`);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || !count || buckets.at(-1)?.value !== count.value)
      throw new Error(`${name}${key}: the last bucket is not the count`);
    if (!group.some((one) => one.name === `${name}_sum`)) throw new Error(`${name}${key}: no sum`);
  }
}
