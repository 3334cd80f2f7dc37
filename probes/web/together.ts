/** What can only be judged of options together: one request or several, bodies of HEAD, and what steps save for each other. */

import { referencesIn } from '../../core/config/references.ts';
import { nearest } from '../../core/config/words.ts';
import type { RequestOptions, Step } from './options.ts';

type Path = (string | number)[];
/** Told of each problem, at its place below the probe's options. */
export type Report = (path: Path, message: string) => void;

type Options = RequestOptions & { url?: string | undefined; steps?: readonly Step[] | undefined };

/** Reports what does not fit together. */
export function reportTogether(options: Options, report: Report): void {
  if (options.steps === undefined) {
    if (options.url === undefined) report(['url'], 'expected an address such as https://example.org, or steps');
    reportBodyless(options, [], report);
    return;
  }
  reportBeside(options, report);
  options.steps.forEach((step, index) => {
    reportBodyless(step, ['steps', index], report);
  });
  reportNames(options.steps, report);
  reportReferences(options.steps, report);
}

/** Keys of a request that would be lost beside `steps`. Those that stand there as they are anyway do no harm. */
function reportBeside(options: Options, report: Report): void {
  const { method, headers, redirects, expect } = options;
  const written: Record<string, boolean> = {
    url: options.url !== undefined,
    body: options.body !== undefined,
    method: method !== 'GET',
    headers: Object.keys(headers).length > 0,
    redirects: redirects !== 'follow',
    expect: Object.keys(expect).length > 0,
  };
  for (const [key, isWritten] of Object.entries(written)) {
    if (isWritten) report([key], `${key} stands beside steps; move it into a step`);
  }
}

const FROM_BODY = ['text', 'notText', 'json', 'size'] as const;

function reportBodyless(request: RequestOptions & Partial<Step>, path: Path, report: Report): void {
  if (request.method !== 'HEAD') return;
  for (const key of FROM_BODY) {
    if (request.expect[key] !== undefined) report([...path, 'expect', key], 'the answer to HEAD has no body; use GET');
  }
  for (const [name, { header }] of Object.entries(request.save ?? {})) {
    if (header === undefined) report([...path, 'save', name], 'the answer to HEAD has no body; use GET');
  }
}

function reportNames(steps: readonly Step[], report: Report): void {
  steps.forEach(({ name }, index) => {
    const first = steps.findIndex((step) => step.name === name);
    if (first < index) report(['steps', index, 'name'], `"${name}" is the name of an earlier step; give it another`);
  });
}

/** Where `${saved.NAME}` is filled in, and by which steps. */
function reportReferences(steps: readonly Step[], report: Report): void {
  const known = new Set<string>();
  steps.forEach((step, index) => {
    const { url, headers, body, save, ...rest } = step;
    for (const [path, value] of texts({ url, headers, body })) {
      for (const name of savedNames(value)) {
        if (!known.has(name)) report(['steps', index, ...path], unsaved(name, known));
      }
    }
    for (const [path, value] of texts({ ...rest, save })) {
      const [name] = savedNames(value);
      if (name !== undefined) report(['steps', index, ...path], `\${saved.${name}} is filled in only in url, headers and body`);
    }
    for (const name of Object.keys(save)) known.add(name);
  });
}

function unsaved(name: string, known: ReadonlySet<string>): string {
  const meant = nearest(name, known);
  const hint = meant === undefined ? 'add it under save of a step before this one' : `did you mean \${saved.${meant}}?`;
  return `no earlier step saves "${name}"; ${hint}`;
}

function savedNames(text: string): string[] {
  return referencesIn(text).flatMap((reference) => (reference.kind === 'saved' ? [reference.name] : []));
}

function texts(value: unknown): [Path, string][] {
  if (typeof value === 'string') return [[[], value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    texts(inner).map(([path, text]): [Path, string] => [[Array.isArray(value) ? Number(key) : key, ...path], text]),
  );
}
