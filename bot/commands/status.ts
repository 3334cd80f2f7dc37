import type { Check } from '../../core/check.ts';
import type { Service } from '../../core/config/model.ts';
import { standsOn } from '../../core/graph.ts';
import { type Incident, incidentOf } from '../../core/incident.ts';
import { readStates } from '../../store/check.ts';
import { listIncidents } from '../../store/incident.ts';
import { firstPlanned, lastResolved, paceOf } from '../../store/query.ts';
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
      return renderService(view, await statusOf(context, service, await openIncidents(context)));
    }
    const open = await openIncidents(context);
    const statuses = await Promise.all(services.map((service) => statusOf(context, service, open)));
    const components = Object.values(config.checks).filter((check) => check.component !== undefined);
    return renderOverview(view, statuses, await templatesOf(context, components));
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

async function openIncidents({ pool, clock }: CommandContext): Promise<Incident[]> {
  return (await listIncidents(pool, clock.now(), 100)).filter((incident) => incident.state === 'open');
}

async function statusOf(context: CommandContext, service: Service, open: readonly Incident[]): Promise<ServiceStatus> {
  const checks = Object.values(context.config.checks).filter((check) => check.service === service.id);
  const incident = incidentOf(open, service.id, standsOn(context.config, { service: service.id }));
  const ids = checks.map((check) => check.id);
  const wellSinceMs = (await lastResolved(context.pool, service.id)) ?? (await firstPlanned(context.pool, ids));
  return {
    service,
    templates: await templatesOf(context, checks),
    ...(incident ? { open: incident } : {}),
    ...(wellSinceMs === undefined ? {} : { wellSinceMs }),
  };
}

async function templatesOf({ pool }: CommandContext, checks: readonly Check[]): Promise<TemplateStatus[]> {
  const states = await readStates(
    pool,
    checks.map((check) => check.id),
  );
  const groups = [...Map.groupBy(checks, (check) => check.template).values()];
  return Promise.all(
    groups.map(async (group) => ({
      title: group[0]?.title ?? '',
      checks: group,
      states,
      pace: await paceOf(
        pool,
        group.map((check) => check.id),
      ),
    })),
  );
}

export default status;
