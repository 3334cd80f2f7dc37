import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../bot/render/blocks.ts';
import { renderReport } from '../../bot/render/report.ts';
import { drawChart } from '../../bot/reports/chart.ts';
import type { Counted, ReportFrame, ReportNumbers } from '../../core/report/figures.ts';
import { makeNumbers } from '../../core/report/numbers.ts';
import { stepOf } from '../../core/report/pace.ts';
import { aCheck, aConfig, NOON_MS } from '../helpers/domain.ts';

const HOUR_MS = 3_600_000;
const frame: ReportFrame = {
  ...{ id: 'noon', title: 'Noon rounds', timeZone: 'UTC', services: ['billing', 'scheduling'], fromMs: NOON_MS - 24 * HOUR_MS },
  ...{ untilMs: NOON_MS, parts: { startMs: NOON_MS - 24 * HOUR_MS, widthMs: HOUR_MS } },
};
const nothing: Counted = { rounds: [], runs: [], parts: [], exceptions: [], underWay: 0, incidents: [] };

/** As many clinics as nobody has, with the longest titles, all of them failing. */
function enormous(): ReportNumbers {
  const tenants = Array.from({ length: 400 }, (_, index) => ({ id: `t${index}`, title: `${'<&>*'.repeat(19)}${index}`, fields: {} }));
  const templates = Array.from({ length: 25 }, (_, index) => `c${index}`);
  const checks = templates.flatMap((template) =>
    tenants.map(({ id }) => aCheck({ template, tenant: id, title: `${'&'.repeat(78)}${template}` })),
  );
  const config = aConfig(checks, { tenants: Object.fromEntries(tenants.map((tenant) => [tenant.id, tenant])) });
  const rounds = checks.map((check) => ({ check: check.id, part: 0, well: 1_000, failed: 17, unseen: 3 }));
  const exceptions = checks.map((check, index) => ({
    ...{ check: check.id, location: 'north', state: 'missed' as const, reason: `reason-${index % 40}`, runs: 3 },
  }));
  return makeNumbers(config, frame, { ...nothing, rounds, exceptions });
}

describe('a report of 400 clinics', () => {
  const message = renderReport({
    numbers: enormous(),
    files: { picture: { id: 'F1' }, table: { id: 'F2', link: 'https://files.example/F2' } },
  });

  it('fits into Slack, and keeps its first line, its chart and the link to the whole', () => {
    expect(message.blocks.length).toBeLessThanOrEqual(LIMITS.blocks);
    expect(JSON.stringify(message.blocks).length).toBeLessThanOrEqual(LIMITS.message + 1_000);
    for (const block of message.blocks) if (block.type === 'section') expect(block.text.text.length).toBeLessThanOrEqual(LIMITS.section);
    expect(JSON.stringify(message.blocks[0])).toContain('Patient billing');
    expect(message.blocks.some((block) => block.type === 'image')).toBe(true);
    expect(message.text).toContain('<https://files.example/F2|All figures (CSV)>');
  });

  it('counts what it leaves out', () => {
    expect(JSON.stringify(message.blocks)).toMatch(/and \d+ more (journeys|clinics), no worse than these/);
  });

  it('says titles as they are, never as Slack would read them', () => {
    expect(JSON.stringify(message.blocks)).not.toMatch(/<&|&>/);
  });
});

describe('a report of nothing', () => {
  const numbers = makeNumbers(aConfig([aCheck()]), frame, nothing);

  it('claims nothing', () => {
    const text = JSON.stringify(renderReport({ numbers }).blocks);
    expect(text).toContain('No data: nothing was seen.');
    expect(text).toContain('No run was due.');
    expect(text).not.toContain('100 %');
  });

  it('has a chart all the same', async () => {
    expect(sizeOf(await drawChart(numbers)).width).toBe(1_280);
  });
});

it('a chart is a PNG with what was counted in it', async () => {
  const check = aCheck({ title: 'Post an invoice' });
  const parts = Array.from({ length: 24 }, (_, part) => ({
    template: check.template,
    part,
    pace: new Map([[stepOf(900 + part * 20), 50]]),
  }));
  const rounds = Array.from({ length: 24 }, (_, part) => ({ check: check.id, part, well: 60, failed: 0, unseen: 0 }));
  const well = await drawChart(makeNumbers(aConfig([check]), frame, { ...nothing, rounds, parts }));
  const failed = await drawChart(
    makeNumbers(aConfig([check]), frame, { ...nothing, rounds: [...rounds, { ...rounds[9]!, failed: 1 }], parts }),
  );
  const empty = await drawChart(makeNumbers(aConfig([check]), frame, nothing));
  expect(sizeOf(well)).toEqual({ width: 1_280, height: 1_184 });
  expect(well.equals(failed)).toBe(false);
  // Letters, lines and cells take room: without fonts or data the picture would be smaller.
  expect(well.length).toBeGreaterThan(empty.length);
});

/** Of a PNG: two numbers of its first chunk. */
function sizeOf(png: Buffer): { width: number; height: number } {
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}
