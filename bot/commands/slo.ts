import type { Service } from '../../core/config/model.ts';
import { budgetsOf } from '../../store/slo.ts';
import type { CommandVerb } from '../contract.ts';
import { nearest } from '../names.ts';
import { notKnown } from '../render/refusal.ts';
import { renderSlos } from '../render/slo.ts';

const slo: CommandVerb = {
  verb: 'slo',
  arguments: '[service]',
  summary: 'What is promised, what is left of the error budgets, and which burn too fast.',
  example: '/rounds slo billing',
  changes: false,

  run: async ({ pool, config, clock, words }) => {
    const services = Object.values(config.services);
    const asked = words.join(' ');
    const found = asked ? services.filter((service) => isNamed(service, asked)) : services;
    if (found.length === 0 && asked) return notKnown('service', asked, nearestService(services, asked), (name) => `/rounds slo ${name}`);
    const nowMs = clock.now();
    const ids = found.map((service) => service.id);
    return renderSlos({ config, nowMs }, found, await budgetsOf(pool, config, ids, nowMs));
  },
};

function isNamed(service: Service, asked: string): boolean {
  const lower = asked.toLowerCase();
  return service.id.toLowerCase() === lower || service.title.toLowerCase() === lower;
}

function nearestService(services: readonly Service[], asked: string): string | undefined {
  const near = nearest(
    asked,
    services.flatMap((service) => [service.id, service.title]),
  );
  return services.find((service) => service.id === near || service.title === near)?.id;
}

export default slo;
