/** Maintenance windows and silences, for people. Pure. */
import type { Config } from '../../core/config/model.ts';
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import type { Covers, Quiet } from '../../core/quiet.ts';
import { listInWords, namedCheck } from '../../core/words.ts';
import type { Silence } from '../../store/silence.ts';
import { context, data, few, type Message, message, section, sentence } from './blocks.ts';
import { type Field, field, type ModalView, modal, option } from './modal.ts';

/** Lines of a list that are still read. */
const MOST = 20;

export interface QuietParts {
  config: Config;
  nowMs: number;
  nameOf(person: string): string;
}

/** What it covers: "Patient billing", "Kubernetes and what stands on it, for Riverside Clinic". */
export function coversInWords(covers: Covers, config: Config): string {
  const title = (entries: Record<string, { title: string }>) => (id: string) => entries[id]?.title ?? id;
  const below = covers.components.map(title(config.components));
  const what = [
    listInWords(covers.services.map(title(config.services))),
    below.length === 0 ? '' : `${listInWords(below)} and what stands on ${below.length === 1 ? 'it' : 'them'}`,
    listInWords(covers.checks.map((id) => checkTitle(config, id))),
  ].filter(Boolean);
  const tenants = listInWords(covers.tenants.map(title(config.tenants)));
  if (what.length === 0) return tenants || 'everything';
  // Several kinds are all to fit: what is common to them.
  return [what.join(', as far as it is also '), tenants].filter(Boolean).join(', for ');
}

/** Of a check, or of a template. */
function checkTitle(config: Config, id: string): string {
  if (config.checks[id]) return namedCheck(config, id).title;
  return Object.values(config.checks).find((check) => check.template === id)?.title ?? id;
}

/** A time, with its day when that is not today: `14:20`, `Tue 24 Nov 08:00`. */
export function timeInWords(atMs: number, nowMs: number, timeZone: string): string {
  const day = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', day: 'numeric', month: 'short' });
  const time = timeOfDay(atMs, timeZone);
  return day.format(atMs) === day.format(nowMs) ? time : `${day.format(atMs).replace(',', '')} ${time}`;
}

/** Said to who silenced something. */
export function silenceBegun(silence: Silence, { config, nowMs }: QuietParts): Message {
  const until = timeInWords(silence.endsAtMs, nowMs, config.timezone);
  return sentence(
    `*${data(silence.title)}* is silent until ${until} (${spanInWords(silence.endsAtMs - silence.madeAtMs)}): ${data(silence.reason)}`,
    `It is measured all the same, and one summary comes at the end. To end it: \`/rounds silence end ${silence.id}\``,
  );
}

/** What is silenced, the one that ends first, first. */
export function renderSilences(silences: readonly Silence[], parts: QuietParts): Message {
  if (silences.length === 0) return sentence('Nothing is silenced. `/rounds maintenance` shows the windows of maintenance.');
  const first = `${silences.length} ${silences.length === 1 ? 'silence is' : 'silences are'} on`;
  const lines = silences.map((silence) => silenceLine(silence, parts));
  return message(first, [
    section(`*${first}*`),
    ...few(lines, MOST, 'silences').map((line) => section(line)),
    context('To end one: `/rounds silence end NUMBER`'),
  ]);
}

function silenceLine({ id, title, reason, madeBy, madeAtMs, endsAtMs }: Silence, { config, nowMs, nameOf }: QuietParts): string {
  const time = (atMs: number) => timeInWords(atMs, nowMs, config.timezone);
  const left = `${spanInWords(Math.max(0, endsAtMs - nowMs))} left`;
  return `*${id}* · *${data(title)}* until ${time(endsAtMs)} (${left})\n${data(nameOf(madeBy))}, ${time(madeAtMs)}: ${data(reason)}`;
}

/** The windows that are on, and those of the next days. */
export function renderMaintenance(windows: readonly Quiet[], silences: number, { config, nowMs }: QuietParts): Message {
  const time = (atMs: number) => timeInWords(atMs, nowMs, config.timezone);
  const what = (window: Quiet) => `*${data(window.title)}*: ${data(coversInWords(window, config))}`;
  const on = windows.filter((window) => window.fromMs <= nowMs);
  const next = [
    ...Map.groupBy(
      windows.filter((window) => window.fromMs > nowMs),
      (window) => window.id.replace(/@.*/, ''),
    ).values(),
  ];
  const left = (window: Quiet) => `until ${time(window.untilMs)} (${spanInWords(window.untilMs - nowMs)} left)`;
  const nowLines = on.map((window) => `${what(window)}, ${left(window)}`);
  const nextLines = next.flatMap(([first, ...more]) => {
    if (!first) return [];
    const times = more.length === 0 ? '' : `, and ${more.length} more ${more.length === 1 ? 'time' : 'times'}`;
    return [`${time(first.fromMs)} (${spanInWords(first.untilMs - first.fromMs)})${times} · ${what(first)}`];
  });
  const first = on.length === 0 ? 'No maintenance is on.' : `${on.length === 1 ? 'Maintenance is' : `${on.length} windows are`} on`;
  return message(first, [
    section(`*${first}*`, ...few(nowLines, MOST, 'windows')),
    section('*In the next 7 days*', ...(nextLines.length > 0 ? few(nextLines, MOST, 'windows') : ['None.'])),
    ...(silences > 0 ? [context(`${silences} ${silences === 1 ? 'silence is' : 'silences are'} on: \`/rounds silence list\``)] : []),
  ]);
}

/** The fields by their blocks. */
export const SNOOZE_FIELDS = { lasts: 'lasts', reason: 'reason' } as const;

export interface SnoozeForm {
  modalId: string;
  /** `INC-12`. */
  incident: string;
  timeZone: string;
  nowMs: number;
  morningMs: number;
  mostReasonCharacters: number;
}

/** The form behind "Snooze…". */
export function renderSnoozeForm({ modalId, incident, timeZone, nowMs, morningMs, mostReasonCharacters }: SnoozeForm): ModalView {
  const morning = timeInWords(morningMs, nowMs, timeZone);
  const dayOf = (atMs: number) => new Intl.DateTimeFormat('en-CA', { timeZone }).format(atMs);
  const options = [
    option('30 minutes', '30m'),
    option('2 hours', '2h'),
    option(dayOf(morningMs) === dayOf(nowMs) ? `Until ${morning} today` : `Until tomorrow, ${morning}`, 'morning'),
  ];
  const [first] = options;
  const lasts: Field['element'] = {
    type: 'static_select',
    action_id: SNOOZE_FIELDS.lasts,
    options,
    ...(first ? { initial_option: first } : {}),
  };
  const reason: Field['element'] = {
    type: 'plain_text_input',
    action_id: SNOOZE_FIELDS.reason,
    min_length: 3,
    max_length: mostReasonCharacters,
  };
  return modal({
    verb: 'snooze',
    modalId,
    title: `Snooze ${incident}`,
    submit: 'Snooze',
    close: 'Not now',
    blocks: [
      section('Nothing is posted of what fails in this incident now. What fails besides is told all the same.'),
      field(SNOOZE_FIELDS.lasts, 'For how long', lasts),
      field(SNOOZE_FIELDS.reason, 'Why', reason, { hint: 'Everybody sees it. Write no names of patients.' }),
      context('It is measured all the same, and one summary at the end says what is still wrong.'),
    ],
  });
}
