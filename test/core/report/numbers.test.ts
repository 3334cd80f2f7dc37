import { describe, expect, it, test } from 'vitest';
import { partsOf } from '../../../core/report/chart.ts';
import type { Counted, ReportFrame } from '../../../core/report/figures.ts';
import { checksOf, makeNumbers } from '../../../core/report/numbers.ts';
import { addPace, percentileMs, stepOf } from '../../../core/report/pace.ts';
import { reportTable } from '../../../core/report/table.ts';
import {
  availabilityInWords,
  exceptionInWords,
  incidentsInWords,
  latenessInWords,
  reportHeadline,
  servicesInWords,
  windowInWords,
  worstFirst,
} from '../../../core/report/words.ts';
import { aCheck, aConfig, NOON_MS } from '../../helpers/domain.ts';
import { someFacts } from '../../helpers/slack.ts';

const HOUR_MS = 3_600_000;
const tenants = ['riverside', 'hillcrest'];
const config = aConfig([
  ...tenants.map((tenant) => aCheck({ tenant, type: 'journey' })),
  ...tenants.map((tenant) => aCheck({ tenant, template: 'print', title: 'Print the report', critical: false })),
  ...tenants.map((tenant) => aCheck({ tenant, template: 'book', title: 'Book an appointment', service: 'scheduling' })),
  aCheck({
    template: 'postgres',
    title: 'Vital signs',
    component: 'postgres',
    service: undefined as never,
    critical: false,
    locations: ['north'],
  }),
]);
const frame: ReportFrame = {
  id: 'morning',
  title: 'Morning rounds',
  timeZone: 'UTC',
  services: ['billing', 'scheduling'],
  fromMs: NOON_MS - 24 * HOUR_MS,
  untilMs: NOON_MS,
  slotMs: NOON_MS,
  parts: { startMs: NOON_MS - 24 * HOUR_MS, widthMs: HOUR_MS },
};
const nothing: Counted = { rounds: [], runs: [], parts: [], exceptions: [], underWay: 0, incidents: [] };
const rounds = (check: string, well: number, failed = 0, unseen = 0, part = 0) => ({ check, part, well, failed, unseen });
const allWell = config && Object.keys(config.checks).map((check) => rounds(check, 1_440));
const made = (change: Partial<Counted>, more: Partial<ReportFrame> = {}) =>
  makeNumbers(config, { ...frame, ...more }, { ...nothing, ...change });
const at = (list: readonly { id: string }[], id: string) => list.find((one) => one.id === id);

describe('availability', () => {
  test.each([
    [{ well: 1_440, failed: 0, unseen: 0 }, '100 %'],
    [{ well: 1_439, failed: 1, unseen: 0 }, '99.93 %'],
    [{ well: 999_999, failed: 1, unseen: 0 }, '99.99 %'],
    [{ well: 1, failed: 999_999, unseen: 0 }, '0.01 %'],
    [{ well: 0, failed: 3, unseen: 0 }, '0 %'],
    [{ well: 0, failed: 0, unseen: 40 }, 'no data'],
    [{ well: 0, failed: 0, unseen: 0 }, 'no data'],
    // What was not seen is neither.
    [{ well: 1, failed: 1, unseen: 1_000 }, '50 %'],
  ])('of %o is %s', (seen, words) => expect(availabilityInWords(seen)).toBe(words));

  it('is that of the critical checks for a service, and of all checks for journeys and clinics', () => {
    const numbers = made({
      rounds: [rounds('post-invoice/riverside', 90, 10), rounds('post-invoice/hillcrest', 100), rounds('print/riverside', 50, 50)],
    });
    expect(at(numbers.services, 'billing')).toMatchObject({ well: 190, failed: 10 });
    expect(at(numbers.journeys, 'post-invoice')).toMatchObject({ well: 190, failed: 10 });
    expect(at(numbers.tenants, 'riverside')).toMatchObject({ well: 140, failed: 60 });
    expect(at(numbers.tenants, 'hillcrest')).toMatchObject({ well: 100, failed: 0 });
  });

  it('at a location counts its own runs, and what it missed as not seen', () => {
    const numbers = made({
      runs: [
        { check: 'post-invoice/riverside', location: 'north', up: 90, degraded: 5, down: 3, fault: 2, pace: new Map(), usual: new Map() },
      ],
      exceptions: [{ check: 'post-invoice/riverside', location: 'north', state: 'missed', reason: 'no-result', runs: 7 }],
    });
    expect(at(numbers.locations, 'north')).toMatchObject({ well: 95, failed: 3, unseen: 9 });
  });

  it('of components stands apart from that of journeys', () => {
    const numbers = made({ rounds: [rounds('postgres', 10, 2)] });
    expect(numbers.components).toMatchObject([{ id: 'postgres', well: 10, failed: 2 }]);
    expect(numbers.journeys.some((journey) => journey.id === 'postgres')).toBe(false);
  });
});

describe('a report is about', () => {
  it('the checks of its services and of what these stand on', () => {
    expect(checksOf(config, ['scheduling']).map((check) => check.id)).toEqual(['book/riverside', 'book/hillcrest', 'postgres']);
  });
});

describe('pace', () => {
  const histogram = (durations: readonly number[]) => addPace(durations.map((ms) => new Map([[stepOf(ms), 1]])));

  it('is off by 1 % at most', () => {
    const durations = Array.from({ length: 1_000 }, (_, index) => 20 + index * 7.3);
    for (const share of [0.01, 0.5, 0.95, 1]) {
      const exact = durations[Math.ceil(durations.length * share) - 1] ?? 0;
      expect(Math.abs((percentileMs(histogram(durations), share) ?? 0) / exact - 1)).toBeLessThanOrEqual(0.01);
    }
  });

  it('of nothing is not known, and not 0', () => {
    expect(percentileMs(new Map(), 0.95)).toBeUndefined();
    expect(made({}).journeys[0]).not.toHaveProperty('p95Ms');
  });

  it('adds up over clinics, and stands beside what is usual', () => {
    const run = (tenant: string, durations: number[], usual: number[]) => ({
      ...{ check: `post-invoice/${tenant}`, location: 'north', up: durations.length, degraded: 0, down: 0, fault: 0 },
      ...{ pace: histogram(durations), usual: histogram(usual) },
    });
    const numbers = made({ runs: [run('riverside', [100, 100, 100], [50]), run('hillcrest', [900, 900, 900], [])] });
    expect(at(numbers.journeys, 'post-invoice')).toMatchObject({
      p50Ms: expect.closeTo(100, -1),
      p95Ms: expect.closeTo(900, -2),
      usualP95Ms: expect.closeTo(50, 0),
    });
    expect(at(numbers.tenants, 'hillcrest')).not.toHaveProperty('usualP95Ms');
  });
});

describe('the headline', () => {
  it('says that all was well', () => {
    expect(reportHeadline(made({ rounds: allWell }))).toBe('🟢 All well: 8,640 rounds, none failed.');
  });

  it('never says so of what was not seen', () => {
    expect(reportHeadline(made({}))).toBe('⚪ No data: nothing was seen.');
    const oneBlind = allWell.map((one) => (one.check.startsWith('book') ? { ...one, well: 0, unseen: 1_440 } : one));
    expect(reportHeadline(made({ rounds: oneBlind }))).toBe('⚪ No data of Clinic scheduling. All else was well.');
    const someUnseen = allWell.map((one) => (one.check === 'book/riverside' ? { ...one, unseen: 12 } : one));
    expect(reportHeadline(made({ rounds: someUnseen }))).toBe('🟢 All well as far as was seen: 12 of 8,652 rounds were not seen.');
  });

  it('names the one service that was not well, with its worst and for how long', () => {
    const incident = { ...open(), resolvedAtMs: NOON_MS - HOUR_MS, beganAtMs: NOON_MS - HOUR_MS - 480_000 };
    const numbers = made({ rounds: [...allWell, rounds('post-invoice/riverside', 0, 16)], incidents: [incident] });
    expect(reportHeadline(numbers)).toBe(
      '🟠 Patient billing: partial outage for 8 min, 99.44 % available, 16 of 2,896 rounds failed. All else was well.',
    );
    expect(incidentsInWords(numbers)).toBe('1 incident, 8 min: partial outage of Patient billing (INC-7).');
  });

  it('says the worst of each service, also when the incident was on its way back', () => {
    const [billing] = open().facts.services;
    if (!billing) throw new Error('no service in the facts');
    const both = [billing, { ...billing, id: 'scheduling', title: 'Clinic scheduling' }].map((one) => ({
      ...one,
      class: 'degradation' as const,
    }));
    const incident = { ...open(), facts: someFacts({ services: both }) };
    const numbers = made({ rounds: [...allWell, rounds('post-invoice/riverside', 0, 16)], incidents: [incident] });
    expect(numbers.services.map((service) => service.class)).toEqual(['partial outage', 'degradation']);
  });

  it('counts several', () => {
    const numbers = made({ rounds: [...allWell, rounds('post-invoice/riverside', 0, 1), rounds('book/riverside', 0, 1)] });
    expect(reportHeadline(numbers)).toBe('🟡 2 of 2 services were not well: Patient billing and Clinic scheduling.');
  });

  it('is not green when only something lesser failed', () => {
    const [first] = servicesInWords(made({ rounds: [...allWell, rounds('print/riverside', 0, 5)] }));
    expect(first).toMatchObject({ mark: '🟡', text: 'what is critical was well; "Print the report" failed at times' });
  });
});

function open() {
  const facts = someFacts();
  return {
    ...{
      id: 7,
      scope: 'billing',
      root: 'service:billing',
      class: 'partial outage' as const,
      peak: 'partial outage' as const,
      state: 'open' as const,
      revision: 1,
    },
    ...{ channel: '#incidents', facts, beganAtMs: NOON_MS - 480_000, openedAtMs: NOON_MS - 470_000 },
  };
}

describe('words', () => {
  it('tell of exceptions with their reason', () => {
    const one = {
      state: 'missed' as const,
      reason: 'no-result',
      runs: 1_200,
      checks: ['Front door', 'Post an invoice'],
      locations: ['South'],
    };
    expect(exceptionInWords(one)).toBe('1,200 runs were missed at South: no result came (Front door and Post an invoice)');
    expect(exceptionInWords({ ...one, state: 'late', reason: 'agent-busy', runs: 1 })).toContain(
      '1 run was late at South: the agent was busy',
    );
  });

  it('tell of an incident that goes on', () => {
    expect(incidentsInWords(made({ incidents: [open()] }))).toContain('(INC-7, still open)');
    expect(incidentsInWords(made({}))).toBe('No incidents.');
  });

  it('tell of incidents of its services only', () => {
    expect(made({ incidents: [open()] }, { services: ['scheduling'] }).incidents).toEqual([]);
  });

  it('tell that it was made up for, and what was missed before', () => {
    const numbers = made({}, { madeUp: true, missedSlots: [{ slotMs: NOON_MS - 24 * HOUR_MS, reason: 'nothing-ran' }] });
    expect(latenessInWords(numbers)).toEqual([
      'Was due at Thu 15 Jan 12:00; nothing ran then.',
      'Missed before: Wed 14 Jan 12:00 (nothing ran then).',
    ]);
    expect(latenessInWords(made({}))).toEqual([]);
  });

  it('tell since when there is anything', () => {
    expect(windowInWords(made({ firstMs: NOON_MS - 2 * HOUR_MS }))).toBe(
      'Wed 14 Jan 12:00 to Thu 15 Jan 12:00, seen since Thu 15 Jan 10:00',
    );
    expect(windowInWords(made({ firstMs: frame.fromMs + 60_000 }))).toBe('Wed 14 Jan 12:00 to Thu 15 Jan 12:00');
  });

  it('put the worst first and leave the rest in its order', () => {
    const figure = (id: string, failed: number, unseen = 0) => ({ id, well: 100, failed, unseen });
    expect(worstFirst([figure('a', 0), figure('b', 1), figure('c', 0, 5), figure('d', 9), figure('e', 0)]).map((one) => one.id)).toEqual([
      ...['d', 'b', 'c', 'a', 'e'],
    ]);
  });
});

describe('the parts of the chart', () => {
  it('are an hour of a day, from a round hour', () => {
    expect(partsOf(NOON_MS - 24 * HOUR_MS, NOON_MS, 'UTC', undefined)).toEqual({ startMs: NOON_MS - 24 * HOUR_MS, widthMs: HOUR_MS });
    const untilMs = NOON_MS + 25 * 60_000;
    expect(partsOf(untilMs - 24 * HOUR_MS, untilMs, 'Asia/Kolkata', undefined)).toEqual({
      startMs: NOON_MS - 24 * HOUR_MS - 30 * 60_000,
      widthMs: HOUR_MS,
    });
  });

  it('begin with the first result when most of the time nothing was there', () => {
    const { startMs, widthMs } = partsOf(NOON_MS - 24 * HOUR_MS, NOON_MS, 'UTC', NOON_MS - 20 * 60_000);
    expect({ startMs, widthMs }).toEqual({ startMs: NOON_MS - 20 * 60_000, widthMs: 60_000 });
  });

  it('are never many, however long the window', () => {
    for (const days of [1, 2, 3, 7, 14, 31]) {
      const { startMs, widthMs } = partsOf(NOON_MS - days * 24 * HOUR_MS, NOON_MS, 'UTC', undefined);
      expect((NOON_MS - startMs) / widthMs).toBeLessThanOrEqual(31);
    }
  });

  it('show the critical journeys, and count the others', () => {
    const many = aConfig(
      Array.from({ length: 7 }, (_, index) => aCheck({ template: `c${index}`, title: `C ${index}`, critical: index === 6 })),
    );
    const { chart } = makeNumbers(many, frame, nothing);
    expect(chart.lines.map((line) => line.title)).toEqual(['C 6', 'C 0', 'C 1', 'C 2']);
    expect(chart.left).toBe(3);
    expect(chart.lines[0]?.p95Ms.every((one) => one === null)).toBe(true);
  });
});

describe('the table', () => {
  it('has a row for each check and location, and leaves empty what is not known', () => {
    const lines = reportTable(made({ rounds: [rounds('post-invoice/riverside', 10)] })).split('\r\n');
    expect(lines[0]).toContain('service_or_component,check,title,clinic,rounds_well');
    expect(lines[1]).toBe(
      'Patient billing,post-invoice/riverside,Post an invoice,Riverside Clinic,10,0,0,100 %,Data centre north,0,0,0,0,0,0,,,,',
    );
    expect(lines).toHaveLength(1 + 6 * 3 + 1 + 1);
  });

  it('quotes what would break it, and disarms what a spreadsheet would run', () => {
    const odd = aConfig([aCheck({ title: '=HYPERLINK("http://a.example"), now' })]);
    expect(reportTable(makeNumbers(odd, frame, nothing))).toContain(`"'=HYPERLINK(""http://a.example""), now"`);
  });
});
