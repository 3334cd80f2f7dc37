/** Forms within Slack's limits, whatever the configuration says: held against the same checks as everything that the desk takes. */
import { describe, expect, test } from 'vitest';
import { renderRunForm } from '../../bot/render/modal-run.ts';
import { renderRunbookForm } from '../../bot/render/modal-runbook.ts';
import type { Config, Parameter } from '../../core/config/model.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';
import { faultsOfView } from '../helpers/forms.ts';

const long = (word: string, most: number) => `${word} ${'&<>*_`~ {long} 🔴 '.repeat(200)}`.slice(0, most);
const modalId = 'x'.repeat(22);
const id = (index: number) => `a-name-of-forty-small-letters-${String(index).padStart(10, '0')}`;

describe('the form of a runbook', () => {
  const kinds: Omit<Parameter, 'name' | 'title'>[] = [
    { type: 'text', min: 1, max: 3_000, default: 'x'.repeat(3_000) },
    { type: 'text' },
    { type: 'number', min: -1e9, max: 1e9, default: '0.25' },
    { type: 'number' },
    { type: 'duration', default: '30s' },
    { type: 'choice', options: Array.from({ length: 100 }, (_, index) => long(String(index), 75)), default: long('42', 75) },
  ];

  test('takes the longest of everything', () => {
    const parameters = Array.from({ length: 20 }, (_, index): Parameter => {
      const kind = kinds[index % kinds.length]!;
      return { ...kind, name: `p${'x'.repeat(37)}${index}`, title: long(`Field ${index}`, 80), help: long('Help', 300) };
    });
    const form = { modalId, incident: 'INC-123456789012', title: long('Restart', 80), preview: long('Restarts', 9_000), parameters };
    expect(faultsOfView(renderRunbookForm(form))).toEqual([]);
  });

  test('asks for whole numbers where only whole numbers are meant', () => {
    const form = (parameter: Partial<Parameter>) => {
      const parameters = [{ name: 'n', title: 'N', type: 'number' as const, ...parameter }];
      const { blocks } = renderRunbookForm({ modalId, incident: 'INC-1', title: 'T', preview: 'P', parameters });
      return blocks.flatMap((block) =>
        block.type === 'input' && block.element.type === 'number_input' ? [block.element.is_decimal_allowed] : [],
      );
    };
    expect([form({ min: 1, max: 5 }), form({ min: 0.5 }), form({})]).toEqual([[false], [true], [true]]);
  });
});

describe('the form of a run', () => {
  function config(templates: number, tenants: number, locations: number): Config {
    const services = Object.fromEntries(
      Array.from({ length: 7 }, (_, index) => {
        const service = {
          id: `service-${index}`,
          title: long(`Service ${index}`, 80),
          tier: 1 as const,
          owner: 'ops',
          dependsOn: [],
          scope: 'all',
        };
        return [service.id, service];
      }),
    );
    const checks = Array.from({ length: templates }, (_, index) =>
      aCheck({ template: id(index), title: long(`Check ${index}`, 80), tenant: 't', service: `service-${index % 7}` }),
    );
    const byId = <T extends { id: string }>(list: T[]) => Object.fromEntries(list.map((one) => [one.id, one]));
    return aConfig(checks, {
      services,
      tenants: byId(Array.from({ length: tenants }, (_, index) => ({ id: id(index), title: long(`Clinic ${index}`, 80), fields: {} }))),
      locations: byId(Array.from({ length: locations }, (_, index) => ({ id: id(index), title: long(`Location ${index}`, 80) }))),
    });
  }
  type Form = ReturnType<typeof renderRunForm>;
  const checksIn = (view: Form) =>
    view.blocks.flatMap((block) => {
      if (block.type !== 'input' || block.element.type !== 'static_select') return [];
      return 'option_groups' in block.element ? block.element.option_groups.flatMap((group) => group.options) : block.element.options;
    });
  const blocksOf = (view: Form) => view.blocks.map((block) => ('block_id' in block ? block.block_id : block.type));

  test.each([
    [1, 0, 1],
    [100, 3, 3],
    [101, 101, 101],
  ])('with %i checks, %i clinics and %i locations lists all of them', (templates, tenants, locations) => {
    const view = renderRunForm({ modalId, config: config(templates, tenants, locations), inChannel: true });
    expect(faultsOfView(view)).toEqual([]);
    expect(checksIn(view)).toHaveLength(templates);
    expect(blocksOf(view)).not.toContain('find');
  });

  test('with 1,000 checks of usual titles lists all of them, by service, in groups of at most a hundred', () => {
    const many = config(1_000, 200, 5);
    for (const check of Object.values(many.checks)) check.title = `Check ${check.template.slice(-4)} of the clinic`;
    const view = renderRunForm({ modalId, config: many, inChannel: true });
    expect(faultsOfView(view)).toEqual([]);
    expect(checksIn(view)).toHaveLength(1_000);
    expect(JSON.stringify(view)).toContain('(2 of 2)');
  });

  test('with 10,000 checks of the longest titles lists as many as fit, and finds the others', () => {
    const many = config(10_000, 1_000, 20);
    const view = renderRunForm({ modalId, config: many, inChannel: true });
    expect(faultsOfView(view)).toEqual([]);
    expect(blocksOf(view).slice(0, 3)).toEqual(['find', 'context', 'check']);
    expect(JSON.stringify(view)).toContain('more are not listed');
    const found = renderRunForm({ modalId, config: many, inChannel: true, sought: 'check 9999' });
    expect(faultsOfView(found)).toEqual([]);
    expect(checksIn(found).map((option) => option.value)).toEqual([id(9_999)]);
    const none = renderRunForm({ modalId, config: many, inChannel: true, sought: 'nothing like it' });
    expect(faultsOfView(none)).toEqual([]);
    expect(blocksOf(none)).not.toContain('check');
  });
});
