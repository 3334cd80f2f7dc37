/** The Home tab: what is open, how the services are, the last rounds, who is on call. Within Slack's 100 blocks; what is cut is counted. Pure. */
import type { Config } from '../../core/config/model.ts';
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { type Incident, incidentName } from '../../core/incident.ts';
import { headlineOf, listInWords, MARKS } from '../../core/words.ts';
import { actions, type Block, button, context, data, few, LIMITS, section } from './blocks.ts';
import { VIEW_LIMITS } from './modal.ts';
import { counts, overviewLine, roundsOf, type ServiceStatus, stateWords, type TemplateStatus, templateLine } from './status.ts';

export const HOME_ACTIONS = { run: 'home.run', report: 'home.report' } as const;

const MOST_INCIDENTS = 20;
const MOST_SERVICES = 60;
const MOST_ROUNDS = 100;
const MOST_TEAMS = 30;

export interface HomeView {
  type: 'home';
  blocks: Block[];
}

/** What is true now, the same for everybody. */
export interface HomeContent {
  config: Config;
  nowMs: number;
  /** Oldest first, each with the address of its post when it has one. */
  open: readonly { incident: Incident; link?: string }[];
  services: readonly ServiceStatus[];
  /** Checks of components. */
  components: readonly TemplateStatus[];
  nameOf(person: string): string;
}

/** Which buttons a person is shown. */
export interface HomeButtons {
  run: boolean;
  report: boolean;
}

/** The view for one person. */
export function renderHome(content: HomeContent, buttons: HomeButtons): HomeView {
  const { nowMs, config, services } = content;
  return {
    type: 'home',
    blocks: bounded([
      section(`*${overviewLine(content, services)}*`),
      ...buttonsRow(buttons),
      ...openBlocks(content),
      section('*On call*', ...onCallLines(config)),
      ...listed(
        'Services',
        services.map((status) => serviceLine(content, status)),
        MOST_SERVICES,
        'services',
      ),
      ...listed(
        'Last rounds',
        services.flatMap((status) => status.templates).map((one) => templateLine(content, one)),
        MOST_ROUNDS,
        'checks',
      ),
      ...listed(
        'What they stand on',
        content.components.map((one) => templateLine(content, one)),
        MOST_ROUNDS,
        'checks',
      ),
      context(`As of ${timeOfDay(nowMs, config.timezone, true)}. \`/rounds help\` shows what you can type.`),
    ]),
  };
}

/** What must have changed for the view to be published anew: everything but the times, which change by themselves. */
export function homeMaterial(content: HomeContent): unknown {
  const templates = [...content.services.flatMap((status) => status.templates), ...content.components];
  return {
    revision: content.config.revision,
    open: content.open.map(({ incident, link }) => [
      incident.id,
      incident.revision,
      incident.acknowledgedBy,
      incident.facts.recovering,
      link,
    ]),
    services: content.services.map((status) => [status.service.id, stateWords(content, status).state]),
    rounds: templates.map((template) => [template.title, counts(template), roundsOf(content, template).fresh]),
  };
}

function buttonsRow({ run, report }: HomeButtons): Block[] {
  return actions([
    ...(run ? [button({ actionId: HOME_ACTIONS.run, label: 'Run a check…', value: 'run' })] : []),
    ...(report ? [button({ actionId: HOME_ACTIONS.report, label: 'Report', value: 'report' })] : []),
  ]);
}

function openBlocks(content: HomeContent): Block[] {
  const { open } = content;
  if (open.length === 0) return [section('*Open incidents*', `${MARKS.resolved} None.`)];
  const rest = open.length - MOST_INCIDENTS;
  return [
    section('*Open incidents*'),
    ...open.slice(0, MOST_INCIDENTS).map((one) => section(...incidentLines(content, one))),
    ...(rest > 0 ? [section(`and ${rest} more: \`/rounds incidents\``)] : []),
  ];
}

function incidentLines({ config, nowMs, nameOf }: HomeContent, { incident, link }: HomeContent['open'][number]): string[] {
  const { facts, acknowledgedBy } = incident;
  const since = `Since ${timeOfDay(facts.sinceMs, config.timezone)} (${spanInWords(nowMs - facts.sinceMs)})`;
  const taken = acknowledgedBy ? `${data(nameOf(acknowledgedBy))} has it` : 'nobody has acknowledged it';
  const recovering = facts.recovering ? ' All is well again; still watching.' : '';
  const post = link ? ` <${link}|Open the post>` : '';
  return [
    `${MARKS[incident.class]} *${incidentName(incident.id)}* ${data(headlineOf(facts, incident.class))}`,
    `${since}, ${taken}.${recovering}${post}`,
  ];
}

function onCallLines(config: Config): string[] {
  const teams = Object.values(config.teams).map((team) => {
    // As in the post of an incident: who has no role can do nothing.
    const names = team.members.flatMap((id) => (config.people[id]?.roles.length ? [config.people[id].name] : []));
    return `${data(team.id)}: ${names.length === 0 ? 'nobody' : data(listInWords(names, 8))}`;
  });
  return teams.length === 0 ? ['Nobody: no team is configured.'] : few(teams, MOST_TEAMS, 'teams');
}

function serviceLine(content: HomeContent, status: ServiceStatus): string {
  return `*${data(status.service.title)}* · tier ${status.service.tier} · ${stateWords(content, status).words}`;
}

/** Lines under a title, in as many sections as they need. */
function listed(title: string, all: readonly string[], most: number, noun: string): Block[] {
  if (all.length === 0) return [];
  const texts = [`*${title}*`];
  for (const line of few(all, most, noun)) {
    const last = texts.at(-1) ?? '';
    if (last.length + line.length < LIMITS.section) texts[texts.length - 1] = `${last}\n${line}`;
    else texts.push(line);
  }
  return texts.map((text) => section(text));
}

/** At most 100 blocks; the last says how many are missing. */
function bounded(blocks: readonly Block[]): Block[] {
  const over = blocks.length - VIEW_LIMITS.blocks;
  if (over <= 0) return [...blocks];
  return [
    ...blocks.slice(0, VIEW_LIMITS.blocks - 1),
    context(`${over + 1} parts are left out: too many for Slack. \`/rounds status\` shows more.`),
  ];
}
