/** `rounds slo export` and `rounds slo import FILE…`: objectives as OpenSLO v1 documents. Nothing is changed anywhere. */
import { stringify } from 'yaml';
import { readDocument } from '../core/config/document.ts';
import type { Config } from '../core/config/model.ts';
import { placesOf, readOpenSlo } from '../core/config/openslo.ts';
import { formatProblem, type Path, Problems } from '../core/config/problems.ts';
import { splitDocuments } from '../core/config/slo-documents.ts';
import { reportSlo } from '../core/config/slos.ts';
import { exportDocuments, importDocuments } from '../core/slo/exchange.ts';
import type { OpenSloDocument } from '../core/slo/openslo.ts';
import type { Slo } from '../core/slo/slo.ts';
import { ConfigError, installedParts, readConfig, readText } from './config.ts';
import type { CliContext } from './context.ts';

const MISTAKE = 2;
const YAML = { lineWidth: 0 } as const;

/** Resolves to the exit code: 0, 1 when something cannot be evaluated, 2 when it was called wrongly or there is no configuration. */
export async function slo(action: string, files: readonly string[], { env, io, options }: CliContext): Promise<number> {
  if (action !== 'export' && action !== 'import') {
    io.err(`Expected export or import, got "${action}". Type: rounds slo --help\n`);
    return MISTAKE;
  }
  try {
    const config = await readConfig(options.config ?? env.ROUNDS_CONFIG ?? 'rounds.yaml');
    if (action === 'export') {
      io.out(exported(config));
      return 0;
    }
    if (files.length > 0) return await importFiles(config, files, io);
    io.err('Expected a file with OpenSLO documents. Type: rounds slo import slos.yaml\n');
    return MISTAKE;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines) io.err(`${line}\n`);
    return MISTAKE;
  }
}

function exported(config: Config): string {
  const documents = exportDocuments(config);
  return documents.length === 0 ? '# No objectives are configured.\n' : documents.map((one) => `---\n${stringify(one, YAML)}`).join('');
}

/** A document with the file and the places that it stands at. */
interface Found {
  file: string;
  document: OpenSloDocument;
}

async function importFiles(config: Config, files: readonly string[], io: CliContext['io']): Promise<number> {
  const found: Found[] = [];
  const said: string[] = [];
  const places: {
    file: string;
    valueAt(path: Path): { line: number; column: number };
    keyAt(path: Path): { line: number; column: number };
  }[] = [];
  for (const file of files) {
    for (const part of splitDocuments(await readText(file))) {
      const parsed = readDocument(part);
      if ('problems' in parsed) said.push(...parsed.problems.map((problem) => formatProblem(file, problem)));
      else if (parsed.document.value !== null) {
        found.push({ file, document: parsed.document.value as OpenSloDocument });
        places.push({ file, valueAt: parsed.document.valueAt, keyAt: parsed.document.keyAt });
      }
    }
  }
  const at = (which: 'valueAt' | 'keyAt') => (path: Path) => {
    const own = places[Number(path[0])];
    return own ? { ...own[which](path.slice(1)), file: own.file } : { line: 1, column: 1 };
  };
  const problems = new Problems({ valueAt: at('valueAt'), keyAt: at('keyAt') });
  const objectives = await readAll(config, found, problems);
  said.push(...problems.sorted().map((problem) => formatProblem(files[0] ?? '', withoutIndex(problem))));
  for (const line of said) io.err(`${line}\n`);
  if (said.length > 0) {
    io.err('Nothing was imported: what is named above cannot be evaluated.\n');
    return 1;
  }
  const imported = importDocuments(
    found.map((one) => one.document),
    objectives,
    config,
  );
  io.out(yamlOf(imported));
  return 0;
}

/** A path begins with the number of the document, which says nothing to anybody. */
function withoutIndex<T extends { path: string }>(problem: T): T {
  return { ...problem, path: problem.path.replace(/^\[?\d+\]?\.?/, '') };
}

async function readAll(config: Config, found: readonly Found[], problems: Problems): Promise<Map<OpenSloDocument, Slo>> {
  const { probes } = await installedParts();
  const known = {
    services: Object.keys(config.services),
    checks: [...new Set(Object.values(config.checks).map((check) => check.template))],
  };
  const documents = found.map(({ document }, index) => ({ document, path: [index] }));
  const objectives = new Map<OpenSloDocument, Slo>();
  for (const { slo: one, path } of readOpenSlo({ documents, known, problems })) {
    reportSlo(one, config, probes, problems, placesOf(path));
    if (config.services[one.service]?.slos?.some(({ id }) => id === one.id)) {
      problems.atValue([...path, 'metadata', 'name'], `${one.service} has an objective "${one.id}" already; rename one of them`);
    }
    const document = found[Number(path[0])]?.document;
    if (document) objectives.set(document, one);
  }
  return objectives;
}

function yamlOf({ services, slos }: ReturnType<typeof importDocuments>): string {
  const parts = { ...(Object.keys(services).length > 0 ? { services } : {}), ...(slos.length > 0 ? { slos } : {}) };
  return Object.keys(parts).length > 0 ? `# Put into rounds.yaml:\n${stringify(parts, YAML)}` : '# Nothing in it is new.\n';
}
