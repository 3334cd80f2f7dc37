/** `/rounds why`, over what the real folding and judging stored. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Check } from '../../core/check.ts';
import type { FoldInput } from '../../core/evaluate.ts';
import { runName } from '../../core/run.ts';
import type { JobsDeps } from '../../jobs/deps.ts';
import { foldReport } from '../../jobs/fold.ts';
import { judgeDirty } from '../../jobs/judge.ts';
import { endSilence, insertSilence } from '../../store/silence.ts';
import { aCheck } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs } from '../helpers/jobs.ts';
import { type Answers, settled, signed, startAnswers, type TestSlack, testSlack, until } from '../helpers/slack.ts';

const SLOT_MS = 60_000;
const LOCATIONS = ['north', 'south', 'cloud'];

let slack: TestSlack;
let answers: Answers;
let bot: Awaited<ReturnType<TestSlack['bot']>>;
let deps: JobsDeps;
let firstMs: number;
let nowMs: number;
let trigger = 0;

beforeAll(async () => {
  slack = await testSlack();
  const { service: _service, ...ofNoService } = aCheck({ template: 'postgres', title: 'PostgreSQL', does: 'answer', critical: false });
  const postgres: Check = { ...ofNoService, component: 'postgres' };
  slack.config.checks.postgres = postgres;
  slack.config.scopes.billing?.checks.push('postgres');
  answers = await startAnswers();
  bot = await slack.bot();
  const clock = { now: () => nowMs, monotonic: () => performance.now() };
  const queues = {} as JobsDeps['queues'];
  deps = {
    pool: slack.pool,
    queues,
    config: slack.config,
    configSeq: 0,
    clock,
    log: slack.log as unknown as JobsDeps['log'],
    actions: new Map(),
  };
  return async () => {
    await answers.close();
    await slack.close();
  };
});

beforeEach(async () => {
  await slack.query(
    'truncate outbox, post, timeline, decision, incident, scope, silence, check_state, run, due, location_trouble, planner cascade',
  );
  await slack.query(`insert into planner (planning_since, beat_at, planned_until) values (now() - interval '1 day', now(), now())`);
  firstMs = Math.floor(Date.now() / SLOT_MS) * SLOT_MS - 10 * SLOT_MS;
});

/** Types `/rounds …` and waits for the answer: all its texts, a line each. */
async function type(text: string, channel = 'C1'): Promise<string> {
  const who = { user_id: 'U0ANA', channel_id: channel, team_id: 'T1', trigger_id: `why-${++trigger}` };
  const before = answers.received.length;
  expect(
    (await fetch(bot.url, { method: 'POST', ...signed({ command: '/rounds', text, ...who, response_url: answers.url }) })).status,
  ).toBe(200);
  const answer = await until('an answer', async () => answers.received[before]);
  const words = (block: { text?: { text: string }; elements?: { text?: string }[] }) => block.text?.text ?? block.elements?.[0]?.text ?? '';
  return answer.blocks.map(words).join('\n');
}

function said(check: string, location: string, slot: number, verdict: FoldInput['verdict']): FoldInput {
  const slotMs = firstMs + slot * SLOT_MS;
  const failure = verdict === 'up' ? {} : { failure: { kind: 'timeout', message: 'no answer within 15 s', step: 'confirm the invoice' } };
  const run = runName({ check, location, slotMs, purpose: 'scheduled', ask: 0 });
  return { run, location, plannedAtMs: slotMs, verdict, durationMs: 900, findings: [], ...failure };
}

/** One slot: what is not well, by check; judged after each location. */
async function slot(number: number, bad: Record<string, Partial<Record<string, FoldInput['verdict']>>>): Promise<void> {
  for (const [index, location] of LOCATIONS.entries()) {
    for (const check of Object.values(slack.config.checks)) {
      const input = said(check.id, location, number, bad[check.id]?.[location] ?? 'up');
      await order({ deps } as unknown as TestJobs, check, [input]);
      nowMs = input.plannedAtMs + 1_000 * (index + 1);
      await foldReport(deps, location, asReport([asResult(input)]));
    }
    await judgeDirty(deps, new Map());
  }
}

const everywhere = (verdict: FoldInput['verdict']) => Object.fromEntries(LOCATIONS.map((location) => [location, verdict]));
const latest = async () => (await slack.query<{ id: number }>('select max(id) as id from incident'))[0]?.id ?? 0;

describe('/rounds why INC-…', () => {
  test('says the class against its neighbours, when it was posted and after what, what stayed quiet, who is suspected', async () => {
    await slot(0, {});
    await slot(1, { postgres: everywhere('down'), 'post-invoice/riverside': everywhere('down'), 'book/riverside': everywhere('down') });
    await settled(slack);
    const id = await latest();
    const text = await type(`why INC-${id}`);
    expect(text).toContain(`*INC-${id} · Clinic scheduling and Patient billing · 🟠 partial outage*`);
    expect(text).toContain(
      'Patient billing: *Partial outage, not full:* 1 of 2 clinics succeed. *Not degradation:* a critical check is down, by a quorum of locations.',
    );
    expect(text).toMatch(
      /\*Posted at \d\d:\d\d:\d\d:\* first notification, \S+ (s|min) after the first failure \(\d\d:\d\d:00\): Data centre north failed \(/,
    );
    expect(text).toContain(
      '*Kept quiet:* "Book an appointment" and 1 other: symptoms of PostgreSQL (shared cluster), told in this one post.',
    );
    expect(text).toMatch(/\*Suspected:\* PostgreSQL \(shared cluster\): .+ \((strong|fair)\)\. /);
    expect(text).toMatch(new RegExp(`\\d+ decisions, made under configuration test · all of them: \`/rounds why INC-${id} all\``));
  });

  test('tells every decision on demand, page by page', async () => {
    await slot(0, {});
    await slot(1, { 'post-invoice/riverside': everywhere('down') });
    const id = await latest();
    const all = await type(`why INC-${id} all`);
    expect(all).toMatch(
      /\d\d:\d\d:\d\d Post an invoice \(Riverside Clinic\): down \(Data centre cloud up, Data centre north down, Data centre south down; 2 of 3 must agree\)/,
    );
    expect(all).toContain(
      '*Patient billing:* partial outage, a critical check is down for some clinics (1 of 2 critical checks down, 1 of 2 clinics hit)',
    );
    expect(all).toContain('*Incident opened*: partial outage, put down to Patient billing');
    expect(all).toContain('*Post:* posted for the first time');
    expect(all).toMatch(/Decisions 1 to (\d+) of \1, configuration test$/);

    await slack.query(
      `insert into decision (at, scope, incident_id, subject, reason, inputs, config_revision)
       select now(), 'billing', $1, 'verdict post-invoice/riverside', 'quorum-down', $2, 'test' from generate_series(1, 100)`,
      [id, { locations: Object.fromEntries(LOCATIONS.map((one) => [one, 'down'])), quorum: 2, total: 3 }],
    );
    const first = await type(`why INC-${id} all`);
    expect(first).toMatch(new RegExp(`Decisions 1 to 40 of 10\\d, configuration test · more: \`/rounds why INC-${id} all 2\`$`));
    expect(first.split('\n').filter((line) => /^\d\d:\d\d:\d\d /.test(line))).toHaveLength(40);
    expect(await type(`why INC-${id} all 3`)).toMatch(/Decisions 81 to 10(\d) of 10\1, configuration test$/);
    expect(await type(`why INC-${id} all 9`)).toMatch(/No decision is kept here, configuration unknown$/);
  });

  test('says which incidents are one, and which was told on where', async () => {
    await slot(0, {});
    await slot(1, { 'post-invoice/riverside': everywhere('down') });
    const older = await latest();
    await slot(2, { 'post-invoice/riverside': everywhere('down') });
    await slack.query(
      `insert into incident (scope, class, peak, channel, facts, config_revision, began_at, opened_at, root, state, resolved_at, merged_into)
       select scope, class, peak, channel, facts, config_revision, began_at, opened_at, root, 'resolved', now(), id from incident where id = $1`,
      [older],
    );
    expect(await type(`why ${older}`)).toContain(`*Joined to it:* INC-${older + 1}, the same problem (Patient billing).`);
    expect(await type(`why ${older + 1}`)).toContain(`*Told on in INC-${older}:* it turned out to be the same problem (Patient billing).`);
  });

  test('takes the link to a post, or the last post of the channel', async () => {
    await slot(0, {});
    await slot(1, { 'post-invoice/riverside': everywhere('down') });
    await settled(slack);
    const id = await latest();
    const [post] = await slack.query<{ channel: string; ts: string }>('select channel, ts from post where incident_id = $1', [id]);
    const link = `https://example.slack.com/archives/${post?.channel}/p${post?.ts.replace('.', '')}`;
    for (const typed of [link, `${link}?thread_ts=${post?.ts}&cid=${post?.channel}`])
      expect(await type(`why ${typed}`)).toContain(`*INC-${id} · `);
    expect(await type('why last', post?.channel)).toContain(`*INC-${id} · `);
    expect(await type('why last', 'C0OTHER')).toBe(
      'No incident was posted in this channel so far. `/rounds incidents` shows those of the others.',
    );
  });
});

describe('/rounds why silence 7', () => {
  const covered = { services: ['billing'], components: [], tenants: [], checks: [] };
  const silence = { ...covered, title: 'Patient billing', reason: 'known: the vendor works on it', madeBy: 'ana' };

  test('says what it kept back, and why it is there', async () => {
    const id = await insertSilence(slack.pool, { ...silence, madeAtMs: firstMs, endsAtMs: Date.now() + 3_600_000 });
    expect(await type(`why silence ${id}`)).toContain('*Kept back:* nothing. All that it covers was well, or was told before.');
    await slot(0, {});
    await slot(1, { 'post-invoice/riverside': everywhere('down') });
    expect(await slack.query('select id from incident')).toEqual([]);
    const text = await type(`why silence ${id}`);
    expect(text).toMatch(
      new RegExp(
        `^\\*Silence ${id} of Patient billing\\* · on until .*\\d\\d:\\d\\d\\nAna at .*\\d\\d:\\d\\d: known: the vendor works on it\\n`,
      ),
    );
    expect(text).toMatch(/\*Kept back:\*\n\d\d:\d\d:\d\d Post an invoice \(Riverside Clinic\)\n/);
    await endSilence(slack.pool, id, 'ana', Date.now());
    expect(await type(`why silence #${id}`)).toMatch(/ended .*\d\d:\d\d by Ana\n/);
  });

  test('that is none says so', async () => {
    expect(await type('why silence 999')).toBe('I know no silence "999". `/rounds silence list` shows what is on.');
  });

  test('an incident says what was kept back beside it', async () => {
    await slot(0, {});
    await slot(1, { 'book/riverside': everywhere('down') });
    const id = await latest();
    const number = await insertSilence(slack.pool, { ...silence, madeAtMs: firstMs + 2 * SLOT_MS, endsAtMs: Date.now() + 3_600_000 });
    await slot(2, { 'book/riverside': everywhere('down'), 'post-invoice/riverside': everywhere('down') });
    expect(await type(`why INC-${id}`)).toContain(`*Kept back:* Post an invoice (Riverside Clinic): silence ${number}, Patient billing.`);
  });
});

describe('/rounds why WHAT', () => {
  test('says that all is well, or where it is told', async () => {
    for (let number = 6; number < 9; number++) await slot(number, {});
    expect(await type('why billing')).toMatch(
      /^\*Patient billing: nothing is posted, since all is well\*\nAll 2 checks are well, last looked at (1|2|3) min ago\.$/,
    );
    await slot(9, { 'post-invoice/riverside': everywhere('down') });
    const id = await latest();
    expect(await type('why billing')).toContain(
      `*Patient billing is posted*\nIt is told in INC-${id} (🟠 partial outage): \`/rounds why INC-${id}\`\n1 of 2 checks is well`,
    );
    expect(await type('why scheduling')).toContain('*Clinic scheduling: nothing is posted, since all is well*');
  });

  test('that fails from one location alone says when that would be told', async () => {
    for (let number = 7; number < 10; number++) await slot(number, {});
    await slot(10, { 'post-invoice/riverside': { north: 'down' } });
    const text = await type('why billing');
    expect(text).toContain('*Patient billing: nothing is posted, though not all is well*');
    expect(text).toContain(
      '*Post an invoice (Riverside Clinic):* fails from Data centre north of 3 locations, for one round. Told once 2 see it, or one does for 3 rounds in a row.',
    );
    expect(text).toContain(
      'In the last hour 1 of 24 runs was not well: from too few locations at once, or for too few rounds, to be told.',
    );
  });

  test('that is slow once, is kept back, or comes back says so', async () => {
    for (let number = 4; number < 8; number++) await slot(number, {});
    await slot(8, { 'post-invoice/riverside': everywhere('degraded') });
    nowMs = Date.now();
    const id = await insertSilence(slack.pool, {
      ...{ services: ['scheduling'], components: [], tenants: [], checks: [], title: 'Clinic scheduling', reason: 'known', madeBy: 'ana' },
      ...{ madeAtMs: firstMs, endsAtMs: Date.now() + 3_600_000 },
    });
    await slot(9, { 'book/hillcrest': everywhere('down') });
    await slot(10, { 'post-invoice/riverside': everywhere('degraded'), 'book/hillcrest': everywhere('down') });
    expect(await type('why post-invoice/riverside')).toContain(
      'slow from Data centre north, Data centre south and Data centre cloud, for one round. Told once it is for 2 rounds in a row.',
    );
    expect(await type('why hillcrest')).toMatch(
      new RegExp(
        `\\*Book an appointment \\(Hillcrest Dental\\):\\* kept back by silence ${id} of Ana, until .*\\d\\d:\\d\\d: known \\(\`/rounds why silence ${id}\`\\)`,
      ),
    );
    await slot(11, {});
    await slack.query('update silence set ended_at = now()');
    expect(await type('why book')).toContain(
      'up again; watched for 2 rounds more before it counts as well. Nobody is called for what is over.',
    );
  });

  test('that is unknown says what may have been meant', async () => {
    expect(await type('why biling')).toBe(
      'I know no incident, service, clinic or check "biling". Did you mean *billing*? `/rounds why billing`',
    );
  });

  test('without a name says which is the latest', async () => {
    expect(await type('why')).toBe('Which incident? None was open in the last 7 days. Or name a service: why nothing is posted of it.');
  });
});
