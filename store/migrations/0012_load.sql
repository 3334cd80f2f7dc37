-- Up Migration

-- What an agent sampled last of the load of a server, and what is usual there: one row for each check and location. `state` is that of
-- core/load/fold.ts, `noisy` the tenants that do far more than usual, the worst first.
create table load_state (
  check_id text not null,
  location text not null,
  component text not null,
  planned_at timestamptz not null default '-infinity',
  -- How long the sample speaks for now.
  fresh_until timestamptz not null default '-infinity',
  state jsonb not null,
  noisy jsonb not null default '[]',
  primary key (check_id, location)
);
create index load_state_component on load_state (component);

-- What each tenant did in an hour, by measure. Late samples and those of several locations add to it.
create table tenant_load (
  component text not null,
  tenant text not null,
  measure text not null,
  hour timestamptz not null,
  -- Looked at, by all locations together.
  seconds float8 not null,
  -- The rate, times the seconds; of this tenant, and of everybody.
  amount float8 not null,
  of_all float8 not null,
  peak float8 not null,
  -- In which it was noisy.
  noisy_seconds float8 not null,
  primary key (component, tenant, measure, hour)
) with (fillfactor = 80);
create index tenant_load_hour on tenant_load (hour);
