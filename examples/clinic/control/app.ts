import { createHash, timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import * as z from 'zod';
import { FAULTS, listSwitches, turn } from '../faults/all.ts';
import type { Fault, World } from '../faults/fault.ts';
import { TENANTS, type Tenant } from '../tenants.ts';
import { type Answer, once, oneByOne } from './once.ts';
import { OPERATIONS } from './ops.ts';

const tenantIds = TENANTS.map(({ id }) => id);
const tenantSchema = z.enum(['all', ...tenantIds], `tenant: expected all, ${tenantIds.join(', ')}`).default('all');
const switchSchema = z.object(
  { tenant: tenantSchema, on: z.boolean('on: expected true or false') },
  'expected JSON such as {"tenant": "riverside", "on": true}',
);
const opsSchema = z.object({ tenant: tenantSchema }, 'expected JSON such as {"tenant": "riverside"}');

/** Returns the control API: the switches of the faults, and what a runbook calls. It changes nothing without the token. */
export function controlApp(world: World): Hono {
  const inTurn = oneByOne();
  const app = new Hono();
  app.onError((error, c) => {
    world.log.warn({ path: c.req.path, reason: error.message }, 'The control API failed.');
    return c.json({ ok: false, summary: `The clinic could not do it: ${error.message}.` }, 503);
  });
  app.notFound((c) =>
    c.json({ ok: false, summary: 'There are: GET /faults, POST /faults/:fault, POST /ops/:operation, GET /health.' }, 404),
  );
  app.get('/health', async (c) => {
    await world.admin.query('SELECT 1');
    return c.json({ status: 'ok' });
  });
  app.get('/faults', async (c) => c.json(await listSwitches(world)));
  app.use(bearerOnly(world.settings.opsToken), bodyLimit({ maxSize: 4096 }));
  app.post('/faults/:fault', (c) => inTurn(() => switchFault(c, world)));
  app.post('/ops/:operation', (c) => inTurn(() => operate(c, world)));
  return app;
}

const digest = (text: string) => createHash('sha256').update(text).digest();

const bearerOnly = (token: string) =>
  createMiddleware(async (c, next) => {
    const given = c.req.header('authorization') ?? '';
    if (!timingSafeEqual(digest(given), digest(`Bearer ${token}`))) {
      return c.json({ ok: false, summary: 'This needs the header "authorization: Bearer …" with the token of the clinic.' }, 401);
    }
    await next();
  });

/** An empty body stands for an empty object; what is no JSON stands for nothing, which every schema refuses. */
async function bodyOf(c: Context): Promise<unknown> {
  const text = await c.req.text();
  try {
    return text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused(c: Context, error: z.ZodError) {
  return c.json({ ok: false, summary: `This cannot be read: ${error.issues.map((issue) => issue.message).join('; ')}.` }, 400);
}

const chosen = (tenant: string): readonly Tenant[] => (tenant === 'all' ? TENANTS : TENANTS.filter(({ id }) => id === tenant));

/** Returns for whom it was done: "for Riverside Clinic", "for all clinics". */
function forWhom(fault: Fault, tenants: readonly Tenant[]): string {
  if (fault.scope === 'everyone' || tenants.length === TENANTS.length) return 'for all clinics';
  return `for ${tenants.map(({ title }) => title).join(', ')}`;
}

async function switchFault(c: Context, world: World) {
  const name = c.req.param('fault');
  const fault = FAULTS.find((candidate) => candidate.name === name);
  if (fault === undefined) {
    return c.json({ ok: false, summary: `There is no fault "${name}". There are: ${FAULTS.map((known) => known.name).join(', ')}.` }, 404);
  }
  const read = switchSchema.safeParse(await bodyOf(c));
  if (!read.success) return refused(c, read.error);
  const { tenant, on } = read.data;
  const summary = `${fault.title} ${forWhom(fault, chosen(tenant))}: ${on ? 'on' : 'off'}.`;
  await turn(world, fault, on, chosen(tenant));
  return c.json({ ok: true, summary, faults: await listSwitches(world, [fault]) });
}

async function operate(c: Context, world: World) {
  const name = c.req.param('operation') ?? '';
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (operation === undefined) {
    return c.json({ ok: false, summary: `There is no operation "${name}". There are: ${Object.keys(OPERATIONS).join(', ')}.` }, 404);
  }
  const read = opsSchema.safeParse(await bodyOf(c));
  if (!read.success) return refused(c, read.error);
  const key = c.req.header('idempotency-key');
  if (key !== undefined && (key === '' || key.length > 200)) {
    return c.json({ ok: false, summary: 'Idempotency-Key: expected 1 to 200 characters.' }, 400);
  }
  const tenants = chosen(read.data.tenant);
  const work = async (): Promise<Answer> => {
    await turn(world, operation.repairs, false, tenants);
    return { ok: true, summary: `${operation.done} ${forWhom(operation.repairs, tenants)}.` };
  };
  const answer = key === undefined ? await work() : await once(world, key, `${name} ${read.data.tenant}`, work);
  if (answer === undefined)
    return c.json({ ok: false, summary: 'This Idempotency-Key was used for another request: take a new one.' }, 422);
  return c.json(answer);
}
