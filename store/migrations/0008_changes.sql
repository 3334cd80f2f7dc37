-- Up Migration

-- What was reported to have changed: deployments, migrations, configuration, ingress.
create table change (
  id bigint generated always as identity primary key,
  -- By what its source knows it again; delivered twice it is one change. Some keys come again with a later change: the next `round`.
  key text not null,
  round int not null default 0,
  at timestamptz not null,
  ended_at timestamptz,
  -- The latest time of which anybody told: what comes long after it with the same key is another change.
  last_at timestamptz not null,
  heard_at timestamptz not null default now(),
  kind text not null check (kind in ('deployment', 'migration', 'configuration', 'ingress', 'other')),
  title text not null,
  outcome text not null check (outcome in ('begun', 'done', 'failed')),
  by_whom text,
  source text not null,
  url text,
  version text,
  -- Ids of the configuration. All three empty: it may concern everything.
  services text[] not null default '{}',
  components text[] not null default '{}',
  tenants text[] not null default '{}',
  unique (key, round)
);
create index change_at on change (at desc);
