/** A change that was reported to Rounds: it stands beside every incident, and is a suspect when it came shortly before one. */
import type { Config } from './config/model.ts';

export const CHANGE_KINDS = ['deployment', 'migration', 'configuration', 'ingress', 'other'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export const CHANGE_OUTCOMES = ['begun', 'done', 'failed'] as const;
export type ChangeOutcome = (typeof CHANGE_OUTCOMES)[number];

export interface ReportedChange {
  id: number;
  /** When it took effect, as its source says; never later than it was heard of. Of one that takes a while: when it began. */
  atMs: number;
  /** When it was done or failed, where that was told apart from its beginning. */
  endedAtMs?: number;
  kind: ChangeKind;
  /** In the words of its source, one line: "billing 4.12.0 to production". */
  title: string;
  outcome: ChangeOutcome;
  /** Who, as the source names them. */
  by?: string;
  /** Who told: `github`, `gitlab`, `argo-cd`, `flux`, `cli`, `api`. */
  source: string;
  url?: string;
  version?: string;
  /** Ids of what it touches. All three empty: nobody said, it may concern everything. */
  services: string[];
  components: string[];
  tenants: string[];
}

/** A change that is not stored yet. */
export type NewChange = Omit<ReportedChange, 'id'>;

/** Ids of what a change touches. */
export type Touched = Pick<ReportedChange, 'services' | 'components' | 'tenants'>;

/** A change as it was told, and by what it is known again. */
export interface ToldChange {
  change: NewChange;
  /** Whoever tells of the same change gives the same key. */
  key: string;
  /** The key comes again with later changes: a version that is rolled out anew. Those near in time are one. */
  repeats?: true;
  /** Says only how a change ended; of one that nobody has heard of there is nothing to tell. */
  onlyEnds?: true;
}

/** Deliveries with a key that repeats are of one change as long as no more than this lies between them. */
export const ONE_CHANGE_MS = 6 * 3_600_000;

/**
 * What is known of a change once more is told of it, in whatever order that comes: it began when the earliest says, it ends once, and what
 * was not known before is added.
 */
export function mergeChange(known: NewChange, told: NewChange): NewChange {
  const ends = known.outcome === 'begun' && told.outcome !== 'begun';
  const last = ends ? { ...known, ...told } : { ...told, ...known };
  const untold = isUnscoped(known) ? told : known;
  return {
    ...last,
    atMs: Math.min(known.atMs, told.atMs),
    kind: known.kind === 'deployment' ? told.kind : known.kind,
    services: untold.services,
    components: untold.components,
    tenants: untold.tenants,
  };
}

/** Whether nobody said what it touches. */
export function isUnscoped({ services, components, tenants }: Touched): boolean {
  return services.length + components.length + tenants.length === 0;
}

/** The scopes in which something that the change touches is judged; none for one that may concern everything. */
export function scopesOf(config: Pick<Config, 'services' | 'checks' | 'scopes'>, touched: Touched): string[] {
  const ofServices = touched.services.flatMap((id) => config.services[id]?.scope ?? []);
  const ofComponents = Object.values(config.scopes).filter((scope) => scope.components.some((id) => touched.components.includes(id)));
  const checks = touched.tenants.length === 0 ? [] : Object.values(config.checks);
  const ofTenants = checks.filter(({ tenant }) => tenant !== undefined && touched.tenants.includes(tenant));
  return [...new Set([...ofServices, ...ofComponents.map(({ id }) => id), ...ofTenants.map(({ scope }) => scope)])];
}
