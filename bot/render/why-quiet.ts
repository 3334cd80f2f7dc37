/** Why nothing is posted: of a service, clinic, component or check at this moment, and what a silence kept back. Pure. */
import type { CheckView } from '../../core/classify.ts';
import type { Config } from '../../core/config/model.ts';
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { type Incident, incidentName } from '../../core/incident.ts';
import type { Untold } from '../../core/why.ts';
import { listInWords, MARKS, namedCheck } from '../../core/words.ts';
import type { DecisionRow } from '../../store/incident.ts';
import type { Silence } from '../../store/silence.ts';
import { context, data, few, type Message, message, section } from './blocks.ts';
import { locationTitle } from './details.ts';
import { timeInWords } from './quiet.ts';
import { keptInWords } from './why-words.ts';

const MOST_LINES = 12;
const MOST_NAMED = 5;

export interface NowView {
  /** "Patient billing". */
  title: string;
  checks: readonly (CheckView & { untold: Untold })[];
  /** Open incidents that tell of it, or of what it stands on. */
  open: readonly Incident[];
  /** Runs of the last hour, and how many of them were not well. */
  runs: { all: number; troubled: number };
  config: Config;
  nowMs: number;
  nameOf(person: string): string;
}

/** Why nothing more is posted of it at this moment. */
export function renderWhyNow(view: NowView): Message {
  const { title, checks, open } = view;
  const groups = Map.groupBy(
    checks.filter(({ untold }) => untold.kind !== 'well' && untold.kind !== 'told'),
    ({ untold }) => reasonOf(untold, view),
  );
  const lines = [...groups].map(
    ([reason, list]) =>
      `*${data(
        listInWords(
          list.map(({ check }) => namedCheck(view.config, check.id).title),
          MOST_NAMED,
        ),
      )}:* ${reason}`,
  );
  const told = open.map(
    (incident) =>
      `It is told in ${incidentName(incident.id)} (${MARKS[incident.class]} ${incident.class}): \`/rounds why ${incidentName(incident.id)}\``,
  );
  const first =
    told.length > 0
      ? `${title} is posted`
      : lines.length > 0
        ? `${title}: nothing is posted, though not all is well`
        : `${title}: nothing is posted, since all is well`;
  const rest = checks.filter(({ untold }) => untold.kind === 'well');
  const well = rest.length > 0 ? `${wellInWords(rest.length, checks.length)}${lastSeen(rest, view.nowMs)}.` : '';
  return message(first, [
    section(`*${data(first)}*`, ...told, ...few(lines, MOST_LINES, 'reasons'), well),
    ...(told.length === 0 && view.runs.troubled > 0 ? [context(blips(view.runs))] : []),
  ]);
}

function wellInWords(well: number, all: number): string {
  if (well < all) return `${well} of ${all} checks ${well === 1 ? 'is' : 'are'} well`;
  return all === 1 ? 'Its check is well' : `All ${all} checks are well`;
}

function blips({ all, troubled }: NowView['runs']): string {
  const runs = `${troubled} of ${all} runs`;
  return `In the last hour ${runs} ${troubled === 1 ? 'was' : 'were'} not well: from too few locations at once, or for too few rounds, to be told.`;
}

function lastSeen(views: readonly CheckView[], nowMs: number): string {
  const planned = views.flatMap(({ state }) => Object.values(state.locations).map((said) => said.plannedAtMs));
  return planned.length === 0 ? '' : `, last looked at ${spanInWords(Math.max(0, nowMs - Math.max(...planned)))} ago`;
}

function reasonOf(untold: Untold, { config, nowMs, nameOf }: NowView): string {
  switch (untold.kind) {
    case 'quiet': {
      const { quiet } = untold;
      const until = `until ${timeInWords(quiet.untilMs, nowMs, config.timezone)}`;
      if (quiet.kind === 'maintenance') return `kept back by maintenance "${data(quiet.title)}", ${until}.`;
      return `kept back by silence ${quiet.id}${quiet.by ? ` of ${data(nameOf(quiet.by))}` : ''}, ${until}: ${data(quiet.reason ?? '')} (\`/rounds why silence ${quiet.id}\`)`;
    }
    case 'coming-back':
      return `up again; watched for ${rounds(untold.roundsLeft)} more before it counts as well. Nobody is called for what is over.`;
    case 'judging':
      return 'not well; it is judged within a second.';
    case 'few-locations':
      return `fails from ${places(untold.locations, config)} of ${untold.total} locations, for ${rounds(untold.rounds)}. Told once ${untold.quorum} see it, or one does for ${untold.neededRounds} rounds in a row.`;
    case 'slow-once':
      return `slow from ${places(untold.locations, config)}, for ${rounds(untold.rounds)}. Told once it is for ${untold.neededRounds} rounds in a row.`;
    case 'distrusted':
      return `what ${data(untold.location.title)} says of it counts as missing: everything fails there and is well from elsewhere (since ${timeOfDay(untold.location.sinceMs, config.timezone)}).`;
    case 'unseen':
      return `not seen, since nothing that can be used comes from ${data(untold.location.title)} (since ${timeOfDay(untold.location.sinceMs, config.timezone)}). That is told once, not for each check.`;
    case 'blind':
      return 'nobody sees it: results that were due did not come.';
    case 'waiting':
      return 'nothing is known yet: too few locations have looked since Rounds began.';
    default:
      return 'all well.';
  }
}

function places(locations: readonly string[], config: Config): string {
  return data(listInWords(locations.map((id) => locationTitle(config, id))));
}

function rounds(count: number): string {
  return count === 1 ? 'one round' : `${count} rounds`;
}

export interface SilenceView {
  silence: Silence;
  /** What it kept back, oldest first. */
  keptBack: readonly DecisionRow[];
  config: Config;
  nowMs: number;
  nameOf(person: string): string;
}

/** What a silence kept back, and why it was there. */
export function renderWhySilence({ silence, keptBack, config, nowMs, nameOf }: SilenceView): Message {
  const { id, title, reason, madeBy, madeAtMs, endsAtMs, endedAtMs, endedBy } = silence;
  const time = (atMs: number) => timeInWords(atMs, nowMs, config.timezone);
  const isOver = (endedAtMs ?? endsAtMs) <= nowMs;
  const end = isOver
    ? `ended ${time(endedAtMs ?? endsAtMs)}${endedBy ? ` by ${data(nameOf(endedBy))}` : ''}`
    : `on until ${time(endsAtMs)}`;
  const first = `Silence ${id} of ${title}`;
  const lines = keptBack.map((one) => `${timeOfDay(one.atMs, config.timezone, true)} ${keptInWords(one.inputs, config)}`);
  return message(first, [
    section(`*${data(first)}* · ${end}`, `${data(nameOf(madeBy))} at ${time(madeAtMs)}: ${data(reason)}`),
    section(
      ...(lines.length > 0
        ? ['*Kept back:*', ...few(lines, 30, 'times')]
        : ['*Kept back:* nothing. All that it covers was well, or was told before.']),
    ),
    ...(isOver ? [] : [context(`To end it: \`/rounds silence end ${id}\``)]),
  ]);
}
