/** `rounds schema`: prints the JSON Schema of `rounds.yaml`, with the probes and actions that are installed, for editors. */
import { editorSchema } from '../core/config/editor-schema.ts';
import { installedParts } from './config.ts';
import type { CliContext } from './context.ts';

/** Prints the schema. Resolves to the exit code 0. */
export async function schema({ io }: Pick<CliContext, 'io'>): Promise<number> {
  io.out(await schemaText());
  return 0;
}

/** The schema as it stands in `docs/rounds.schema.json`. */
export async function schemaText(): Promise<string> {
  return `${jsonText(editorSchema(await installedParts()), '')}\n`;
}

/** JSON with lists of plain values on one line, as the formatter of this repository has it. */
function jsonText(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one !== 'object' || one === null)) return `[${value.map((one) => JSON.stringify(one)).join(', ')}]`;
    return `[\n${value.map((one) => `${inner}${jsonText(one, inner)}`).join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  if (entries.length === 0) return '{}';
  return `{\n${entries.map(([key, one]) => `${inner}${JSON.stringify(key)}: ${jsonText(one, inner)}`).join(',\n')}\n${indent}}`;
}
