/** Who runs checks from where, and how their runs went: what cannot see comes first. Pure. */
import { type Check, freshForMs } from '../../core/check.ts';
import { spanInWords } from '../../core/duration.ts';
import type { CheckState } from '../../core/evaluate.ts';
import { countInWords, reasonInWords } from '../../core/report/words.ts';
import { listInWords, MARKS } from '../../core/words.ts';
import type { KnownAgent, RunsEnded } from '../../store/agent.ts';
import { type Block, data, few, label, type Message, message, section } from './blocks.ts';
import type { View } from './status.ts';

const MOST_LOCATIONS = 15;
const MOST_AGENTS = 6;
const MOST_REASONS = 6;
/** One that was silent for so long while others report is taken to be gone: it was replaced, or stopped on purpose. */
const GONE_MS = 3_600_000;
/** Agents share the work of a location by chance, so one may be without any for some turns. */
const SILENT_TURNS = 4;
const SILENT_LEAST_MS = 60_000;
/** An agent waits for an order's time by its own clock, and 5 s at most: from here on runs are late. */
const SKEW_MS = 2_000;

/** What is known of all locations. */
export interface AgentsView extends View {
  agents: readonly KnownAgent[];
  /** Of the last hour. */
  runs: readonly RunsEnded[];
  states: ReadonlyMap<string, CheckState>;
}

type Sight = 'blind' | 'never' | 'partly' | 'sees' | 'idle';
const ORDER: readonly Sight[] = ['blind', 'never', 'partly', 'sees', 'idle'];

interface LocationStatus {
  id: string;
  sight: Sight;
  fresh: number;
  checks: readonly Check[];
  /** The last result of any of its checks. */
  lastMs: number;
  agents: readonly KnownAgent[];
  /** The longest silent first. */
  silent: readonly KnownAgent[];
  runs: readonly RunsEnded[];
}

/** All locations, the blind ones first; then agents of locations that the configuration no longer has. */
export function renderAgents(view: AgentsView): Message {
  const statuses = Object.keys(view.config.locations).map((id) => statusOf(view, id));
  const sorted = statuses.sort((a, b) => ORDER.indexOf(a.sight) - ORDER.indexOf(b.sight) || trouble(view, b) - trouble(view, a));
  const first = headline(statuses);
  const shown = sorted.slice(0, MOST_LOCATIONS);
  const rest = sorted.slice(MOST_LOCATIONS);
  const blocks: Block[] = [
    section(`*${first}*`),
    ...shown.map((status) => section(...locationLines(view, status))),
    ...(rest.length > 0 ? [section(restLine(rest))] : []),
    ...strangers(view),
  ];
  return message(first, blocks);
}

function statusOf(view: AgentsView, id: string): LocationStatus {
  const checks = Object.values(view.config.checks).filter((check) => check.locations.includes(id));
  const said = checks.flatMap((check) => {
    const known = view.states.get(check.id)?.locations[id];
    return known ? [{ check, atMs: known.plannedAtMs }] : [];
  });
  const fresh = said.filter(({ check, atMs }) => view.nowMs - atMs <= freshForMs(check)).length;
  const agents = view.agents.filter((agent) => agent.location === id).sort((a, b) => a.lastSeenMs - b.lastSeenMs);
  const silentMs = Math.max(SILENT_LEAST_MS, SILENT_TURNS * Math.min(...checks.map((check) => check.everyMs)));
  const sight: Sight =
    checks.length === 0 ? 'idle' : said.length === 0 ? 'never' : fresh === 0 ? 'blind' : fresh < checks.length ? 'partly' : 'sees';
  return {
    id,
    sight,
    fresh,
    checks,
    lastMs: Math.max(...said.map(({ atMs }) => atMs)),
    agents,
    silent: agents.filter((agent) => view.nowMs - agent.lastSeenMs > silentMs),
    runs: view.runs.filter((one) => one.location === id),
  };
}

/** How much there is to look at, where sight is the same. */
function trouble(view: View, { silent, agents, runs }: LocationStatus): number {
  const recent = silent.filter((agent) => view.nowMs - agent.lastSeenMs <= GONE_MS).length;
  return recent * 1_000_000 + agents.filter(isOdd).length * 1_000 + sum(runs.filter((one) => one.state !== 'run'));
}

function isOdd(agent: KnownAgent): boolean {
  return (agent.spooled ?? 0) > 0 || Math.abs(agent.skewMs) >= SKEW_MS;
}

function headline(statuses: readonly LocationStatus[]): string {
  const count = (sight: Sight) => statuses.filter((one) => one.sight === sight).length;
  const of = (number: number) => `${number} of ${statuses.length} ${statuses.length === 1 ? 'location' : 'locations'}`;
  if (statuses.length === 0) return 'No locations are configured.';
  if (count('blind') > 0) return `${MARKS.blind} ${of(count('blind'))} ${count('blind') === 1 ? 'is' : 'are'} blind.`;
  if (count('never') > 0) return `${MARKS.blind} ${of(count('never'))} ${count('never') === 1 ? 'has' : 'have'} not been seen yet.`;
  if (count('partly') > 0) return `${MARKS.degradation} ${of(count('partly'))} ${count('partly') === 1 ? 'sees' : 'see'} only a part.`;
  return `${MARKS.resolved} All locations see.`;
}

const SIGHT_MARKS: Record<Sight, string> = {
  blind: MARKS.blind,
  never: MARKS.blind,
  partly: MARKS.degradation,
  sees: MARKS.resolved,
  idle: MARKS.blind,
};

function locationLines(view: AgentsView, status: LocationStatus): string[] {
  const title = data(view.config.locations[status.id]?.title ?? status.id);
  const gone = status.silent.filter((agent) => view.nowMs - agent.lastSeenMs > GONE_MS && status.silent.length < status.agents.length);
  const shown = [...status.silent, ...status.agents.filter((agent) => !status.silent.includes(agent))].filter(
    (agent) => !gone.includes(agent),
  );
  return [
    `${SIGHT_MARKS[status.sight]} *${title}*: ${sightWords(view, status)}`,
    ...few(
      shown.map((agent) => `• ${agentLine(view, agent, status.silent.includes(agent))}`),
      MOST_AGENTS,
      'agents',
    ),
    ...(gone.length > 0 ? [`• ${goneLine(view, gone)}`] : []),
    ...(status.agents.length === 0 && status.checks.length > 0 ? ['• no agent has been heard in the last day'] : []),
    runsLine(status.runs),
  ];
}

function sightWords(view: View, { sight, checks, fresh, lastMs, agents, silent }: LocationStatus): string {
  const heard = agents.length - silent.length;
  const by = `${heard === 0 ? 'no agent' : heard === 1 ? '1 agent' : `${heard} agents`} heard of late`;
  const one = checks.length === 1;
  const ofAll = one ? 'its check' : `all ${checks.length} checks`;
  if (sight === 'idle') return `no check runs here; ${by}`;
  if (sight === 'never')
    return `not seen yet: ${one ? 'its check has brought no result' : `none of its ${checks.length} checks has brought a result`}`;
  if (sight === 'blind') {
    const none = `nothing fresh from ${one ? 'its check' : `any of its ${checks.length} checks`}`;
    return `blind: ${none}, the last result ${spanInWords(view.nowMs - lastMs)} ago; ${by}`;
  }
  return `fresh results of ${sight === 'partly' ? `${fresh} of ${checks.length} checks` : ofAll}; ${by}`;
}

function agentLine(view: View, agent: KnownAgent, silent: boolean): string {
  const ago = spanInWords(view.nowMs - agent.lastSeenMs);
  return [
    nameOf(agent),
    silent ? `not heard for ${ago}` : `heard ${ago} ago`,
    clockWords(agent.skewMs),
    ...(agent.spooled ? [`${countInWords(agent.spooled)} ${agent.spooled === 1 ? 'report waits' : 'reports wait'} on its disk`] : []),
    ...(agent.version ? [`version ${data(label(agent.version, 40))}`] : []),
  ].join(' · ');
}

/** An agent calls itself `north@web-1.example.internal/4121`; of the machine only its own name is shown. */
function nameOf({ location, name }: KnownAgent): string {
  const own = name.startsWith(`${location}@`) ? name.slice(location.length + 1) : name;
  const [host = '', pid] = own.split('/');
  const short = data(label(host.split('.')[0] || own, 60));
  return pid && /^\d{1,10}$/.test(pid) ? `${short}, process ${pid}` : short;
}

function clockWords(skewMs: number): string {
  if (Math.abs(skewMs) < 500) return 'clock right';
  const words = `clock ${spanInWords(Math.abs(skewMs))} ${skewMs > 0 ? 'behind' : 'ahead'}`;
  return Math.abs(skewMs) >= SKEW_MS ? `*${words}*` : words;
}

function goneLine(view: View, gone: readonly KnownAgent[]): string {
  const names = gone.toReversed().map((agent) => `${nameOf(agent)} (${spanInWords(view.nowMs - agent.lastSeenMs)} ago)`);
  return `gone: ${listInWords(names, 3)}`;
}

function runsLine(runs: readonly RunsEnded[]): string {
  if (runs.length === 0) return 'Last hour: no runs';
  const done = sum(runs.filter((one) => one.state === 'run'));
  const exceptions = runs.filter((one) => one.state !== 'run').sort((a, b) => b.runs - a.runs);
  const words = exceptions.map(
    (one) => `${countInWords(one.runs)} ${one.state}${one.reason ? ` (${data(reasonInWords(one.reason))})` : ''}`,
  );
  const all = few(words, MOST_REASONS, 'reasons');
  return `Last hour: ${countInWords(done)} ${done === 1 ? 'run' : 'runs'} as planned, ${all.length === 0 ? 'none late, missed or failed at the agent' : all.join(', ')}`;
}

function restLine(rest: readonly LocationStatus[]): string {
  const well = rest.filter((one) => one.sight === 'sees' || one.sight === 'idle').length;
  return `and ${rest.length} more locations${well === rest.length ? ', none of them blind' : `, ${rest.length - well} of them blind or nearly so`}`;
}

/** What still reports from where nothing is to be run. */
function strangers(view: AgentsView): Block[] {
  const names = view.agents.filter((agent) => !view.config.locations[agent.location]);
  if (names.length === 0) return [];
  const lines = names.map((agent) => `• ${data(agent.location)}: ${agentLine(view, agent, false)}`);
  return [section('*From locations that rounds.yaml does not have*', ...few(lines, MOST_AGENTS, 'agents'))];
}

function sum(runs: readonly RunsEnded[]): number {
  return runs.reduce((total, one) => total + one.runs, 0);
}
