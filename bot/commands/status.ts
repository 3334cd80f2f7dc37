import type { Check } from '../../core/check.ts';
import type { Service } from '../../core/config/model.ts';
import { standsOn } from '../../core/graph.ts';
import { type Incident, incidentOf } from '../../core/incident.ts';
import { type BriefState, readBriefs } from '../../store/check.ts';
import { listIncidents } from '../../store/incident.ts';
import { firstPlanned, lastResolved } from '../../store/query.ts';
import { paceOf } from '../../store/usual.ts';
import type { CommandContext, CommandVerb } from '../contract.ts';
import { nearest } from '../names.ts';
import { notKnown } from '../render/refusal.ts';
import { renderOverview, renderService, type ServiceStatus, type TemplateStatus } from '../render/status.ts';

const status: CommandVerb = {
  verb: 'status',
  arguments: '[service]',
  summary: 'How the services are; with a name, one of them in full.',
  example: '/rounds status billing',
  changes: false,

  run: async (context) => {
    const { config, words, clock } = context;
    const view = { config, nowMs: clock.now() };
    const services = Object.values(config.services);
    const asked = words.join(' ');
    if (asked) {
      const service = findService(services, asked);
      if (!service) return notKnown('service', asked, nearestService(services, asked), (name) => `/rounds status ${name}`);
      const known = await knownOf(context, (check) => check.service === service.id);
      return renderService(view, statusOf(context, known, service, await withPace(context, templatesOf(known, service))));
    }
    const known = await knownOf(context, () => true);
    // Of many services none is told how fast it is.
    const statuses = services.map((service) => statusOf(context, known, service, templatesOf(known, service)));
    return renderOverview(view, statuses, await withPace(context, templatesOf(known)));
  },
};

function findService(services: readonly Service[], asked: string): Service | undefined {
  const lower = asked.toLowerCase();
  return services.find((service) => service.id.toLowerCase() === lower || service.title.toLowerCase() === lower);
}

function nearestService(services: readonly Service[], asked: string): string | undefined {
  const near = nearest(
    asked,
    services.flatMap((service) => [service.id, service.title]),
  );
  return services.find((service) => service.id === near || service.title === near)?.id;
}

/** What is read once, however many services are told of. */
interface Known {
  checks: readonly Check[];
  states: ReadonlyMap<string, BriefState>;
  open: readonly Incident[];
  resolvedMs: ReadonlyMap<string, number>;
  plannedMs: ReadonlyMap<string, number>;
}

async function knownOf({ pool, clock, config }: CommandContext, wanted: (check: Check) => boolean): Promise<Known> {
  const checks = Object.values(config.checks).filter(wanted);
  const ids = checks.map((check) => check.id);
  const [states, incidents, resolvedMs, plannedMs] = await Promise.all([
    readBriefs(pool, ids),
    listIncidents(pool, clock.now(), 100),
    lastResolved(pool),
    firstPlanned(pool, ids),
  ]);
  return { checks, states, open: incidents.filter((incident) => incident.state === 'open'), resolvedMs, plannedMs };
}

function statusOf({ config }: CommandContext, known: Known, service: Service, templates: readonly TemplateStatus[]): ServiceStatus {
  const incident = incidentOf(known.open, service.id, standsOn(config, { service: service.id }));
  const planned = templates.flatMap(({ checks }) => checks.flatMap((check) => known.plannedMs.get(check.id) ?? []));
  const firstMs = planned.length === 0 ? undefined : planned.reduce((first, one) => Math.min(first, one));
  const wellSinceMs = known.resolvedMs.get(service.id) ?? firstMs;
  return { service, templates, ...(incident ? { open: incident } : {}), ...(wellSinceMs === undefined ? {} : { wellSinceMs }) };
}

/** The templates of a service, or of what the services stand on. */
function templatesOf({ checks, states }: Known, service?: Service): TemplateStatus[] {
  const own = checks.filter((check) => (service ? check.service === service.id : check.component !== undefined));
  return [...Map.groupBy(own, (check) => check.template).values()].map((group) => ({
    title: group[0]?.title ?? '',
    checks: group,
    states,
    pace: {},
  }));
}

function withPace({ pool }: CommandContext, templates: readonly TemplateStatus[]): Promise<TemplateStatus[]> {
  return Promise.all(
    templates.map(async (template) => ({
      ...template,
      pace: await paceOf(
        pool,
        template.checks.map((check) => check.id),
      ),
    })),
  );
}

export default status;
