import { knownLoads, noisyTenants, tenantHoursSince } from '../../store/load.ts';
import type { CommandContext, CommandVerb } from '../contract.ts';
import { nearest } from '../names.ts';
import { notKnown } from '../render/refusal.ts';
import { renderComponent, renderTenant, renderTenants, type TenantsView } from '../render/tenants.ts';

const DAYS = 14;
const DAY_MS = 86_400_000;

const tenants: CommandVerb = {
  verb: 'tenants',
  arguments: '[component|tenant]',
  summary: 'Who drives the load that all share, against what is usual of each, and who grows.',
  example: '/rounds tenants hillcrest',
  changes: false,

  run: async (context) => {
    const { config, words } = context;
    const asked = words.join(' ');
    if (!asked) return renderTenants(await viewOf(context));
    const component = findIn(config.components, asked);
    if (component) return renderComponent(await viewOf(context), component);
    const tenant = findIn(config.tenants, asked);
    if (tenant) return renderTenant(await viewOf(context), tenant);
    const known = [...Object.values(config.tenants), ...Object.values(config.components)];
    const near = nearest(
      asked,
      known.flatMap(({ id, title }) => [id, title]),
    );
    const meant = known.find(({ id, title }) => id === near || title === near)?.id;
    return notKnown('tenant or component', asked, meant, (name) => `/rounds tenants ${name}`);
  },
};

type Named = Readonly<Record<string, { id: string; title: string }>>;

function findIn(named: Named, asked: string): string | undefined {
  const lower = asked.toLowerCase();
  return Object.values(named).find(({ id, title }) => id.toLowerCase() === lower || title.toLowerCase() === lower)?.id;
}

async function viewOf({ pool, config, clock }: CommandContext): Promise<TenantsView> {
  const nowMs = clock.now();
  const components = Object.keys(config.components);
  const [loads, noisy, hours] = await Promise.all([
    knownLoads(pool, components, nowMs),
    noisyTenants(pool, components, nowMs),
    tenantHoursSince(pool, components, nowMs - DAYS * DAY_MS),
  ]);
  return { config, nowMs, loads, noisy, hours, days: DAYS };
}

export default tenants;
