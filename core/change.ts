/** A change that was reported to Rounds: it stands beside every incident, and is a suspect when it came shortly before one. */

export const CHANGE_KINDS = ['deployment', 'migration', 'configuration', 'ingress', 'other'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export interface ReportedChange {
  id: number;
  /** When it took effect, as its source says; never later than it was heard of. */
  atMs: number;
  kind: ChangeKind;
  /** In the words of its source, one line: "billing 4.12.0 to production". */
  title: string;
  outcome: 'begun' | 'done' | 'failed';
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
