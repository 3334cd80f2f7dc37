/** Names by Prometheus' conventions: the rules of promlint (prometheus/client_golang, testutil/promlint/validations), and ours on top. */
import type { Family } from './exposition.ts';

const BASE_UNITS = ['amperes', 'bytes', 'celsius', 'grams', 'joules', 'kelvin', 'meters', 'moles', 'seconds', 'volts', 'ratio'];
const OTHER_UNITS = [
  'minutes',
  'hours',
  'days',
  'weeks',
  'kelvins',
  'fahrenheit',
  'bits',
  'calories',
  'pounds',
  'ounces',
  'feet',
  'inches',
  'yards',
  'miles',
  'percent',
];
const PREFIXES = [
  'pico',
  'nano',
  'micro',
  'milli',
  'centi',
  'deci',
  'deca',
  'hecto',
  'kilo',
  'kibi',
  'mega',
  'mibi',
  'giga',
  'gibi',
  'tera',
  'tebi',
  'peta',
  'pebi',
];
const ABBREVIATIONS = ['s', 'ms', 'us', 'ns', 'sec', 'b', 'kb', 'mb', 'gb', 'tb', 'pb', 'm', 'h', 'd'];

/** What is wrong with a metric; empty when nothing is. */
export function lint({ name, help, type, samples }: Family): string[] {
  const words = name.split('_');
  const labels = new Set(samples.flatMap((one) => Object.keys(one.labels)));
  const wrong: [boolean, string][] = [
    [help === '', 'no help text'],
    [/[A-Z]/.test(name), 'names are in snake_case'],
    [name.includes(':'), 'colons are for recorded rules'],
    [type === 'counter' && !name.endsWith('_total'), 'a counter ends in _total'],
    [type !== 'counter' && name.endsWith('_total'), 'what is no counter does not end in _total'],
    [type !== 'histogram' && name.endsWith('_bucket'), '_bucket is for histograms'],
    [type !== 'histogram' && type !== 'summary' && /_(count|sum)$/.test(name), '_count and _sum are for histograms and summaries'],
    [type !== 'histogram' && labels.has('le'), 'le is for histograms'],
    [type !== 'summary' && labels.has('quantile'), 'quantile is for summaries'],
    [words.includes(type), 'the type is no part of the name'],
    [
      words.some(
        (word) =>
          OTHER_UNITS.includes(word) ||
          PREFIXES.some((prefix) => BASE_UNITS.includes(word.slice(prefix.length)) && word.startsWith(prefix)),
      ),
      'units are base units',
    ],
    [words.some((word) => ABBREVIATIONS.includes(word)), 'units are spelled out'],
    [[...labels].some((label) => !/^[a-z][a-z0-9_]*$/.test(label)), 'labels are in snake_case'],
    [BASE_UNITS.some((unit) => words.includes(unit) && !new RegExp(`_${unit}(_total)?$`).test(name)), 'the unit comes last'],
  ];
  return wrong.flatMap(([is, words]) => (is ? [`${name}: ${words}`] : []));
}

/** Those of Rounds itself: one prefix, a sentence of help, and never a label that grows with tenants or people. */
export function lintOurs(family: Family): string[] {
  const { name, help, type, samples } = family;
  const labels = new Set(samples.flatMap((one) => Object.keys(one.labels)));
  const unbounded = ['check', 'tenant', 'run', 'user', 'person', 'channel', 'incident', 'message', 'url', 'agent'];
  const wrong: [boolean, string][] = [
    [!name.startsWith('rounds_'), 'begins with rounds_'],
    [!/^[A-Z].*[^.]\.$/.test(help) || /\.\s/.test(help), 'help is one sentence'],
    [type === 'histogram' && !/_(seconds|bytes)$/.test(name), 'a histogram says its unit'],
    [name.endsWith('_info') && samples.some((one) => one.value !== 1), 'an info is 1'],
    [unbounded.some((label) => labels.has(label)), 'a label without bound'],
  ];
  return wrong.flatMap(([is, words]) => (is ? [`${name}: ${words}`] : []));
}
