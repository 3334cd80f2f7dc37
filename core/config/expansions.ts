/** Holds every `${…}` of the file against what may stand at its place. */
import { parameterProblem } from './parameters.ts';
import type { Path, Problems } from './problems.ts';
import { isPlain, type Plain } from './reader.ts';
import { type Reference, referencesIn } from './references.ts';
import { eachScalar } from './secrets.ts';
import { didYouMean, shown } from './words.ts';

export interface ExpansionContext {
  problems: Problems;
  /** What a check of any type may say; all other keys of a check are probes. */
  commonKeys: readonly string[];
}

const NOT_HERE =
  'expands nothing here, only in the options of a probe or an action and in fields of a tenant other than its title; write the text out';

/** Reports references of another form, at a place where nothing is expanded, or to fields that a tenant does not have. */
export function reportExpansions(raw: Plain, context: ExpansionContext): void {
  eachScalar(raw, [], (path, _, value) => {
    if (typeof value !== 'string' || !value.includes('${')) return;
    for (const reference of referencesIn(value)) {
      const message = reference.kind === 'param' ? parameterProblem(reference, path, value, raw) : problemOf(reference, path, raw, context);
      if (message !== undefined) context.problems.atValue(path, message);
    }
  });
}

function problemOf(
  reference: Exclude<Reference, { kind: 'param' }>,
  path: Path,
  raw: Plain,
  context: ExpansionContext,
): string | undefined {
  const place = placeOf(path, context);
  if (place === undefined) return `${shown(reference.written)} ${NOT_HERE}`;
  if (reference.kind === 'unknown') {
    const others = inStep(path) ? `, \${tenant.FIELD} or \${saved.NAME}` : ` or \${tenant.FIELD}`;
    return `expected \${secret:NAME} in capital letters${others}, the only expansions there are, got ${shown(reference.written)}`;
  }
  if (reference.kind === 'secret') return undefined;
  // Which steps save it is the probe's to know.
  if (reference.kind === 'saved' && inStep(path)) return undefined;
  if (reference.kind === 'saved') {
    return `${reference.written} stands for a value that an earlier step saved, and this is no step; write the value out`;
  }
  const check = isPlain(raw.checks) && place === 'check' ? raw.checks[String(path[1])] : undefined;
  if (!isPlain(check) || check.forEach === undefined) {
    return `${reference.written} stands for a field of a tenant, and this is not made for each; ${
      place === 'check' ? 'add forEach: tenants, or write the value out' : 'write the value out'
    }`;
  }
  return missingField(reference.field, raw);
}

/** Below `steps` in the options of a probe. */
function inStep([section, , , key]: Path): boolean {
  return section === 'checks' && key === 'steps';
}

function placeOf(path: Path, context: ExpansionContext): 'check' | 'action' | 'tenant' | undefined {
  const [section, , key] = path;
  // Below a key that no check has stands a mistyped probe, which is reported as such.
  if (section === 'checks' && !context.commonKeys.includes(String(key)) && path.length > 3) return 'check';
  if (section === 'runbooks' && key === 'action' && path.length > 4 && path[4] !== 'location') return 'action';
  return section === 'tenants' && key !== 'title' && path.length === 3 ? 'tenant' : undefined;
}

function missingField(field: string, raw: Plain): string | undefined {
  const tenants = isPlain(raw.tenants) ? Object.entries(raw.tenants) : [];
  const lacking = tenants.filter(([, tenant]) => isPlain(tenant) && !fieldsOf(tenant).includes(field));
  const [first] = lacking;
  if (!first) return undefined;
  const who =
    lacking.length === tenants.length
      ? 'no tenant has'
      : `tenant ${lacking
          .map(([id]) => id)
          .slice(0, 3)
          .join(', ')} has no`;
  const known = [...new Set(lacking.flatMap(([, tenant]) => (isPlain(tenant) ? fieldsOf(tenant) : [])))];
  return `${who} field ${shown(field)}${didYouMean(field, known) || '; add it under tenants'}`;
}

function fieldsOf(tenant: Plain): string[] {
  return ['id', 'title', ...Object.keys(tenant)];
}
