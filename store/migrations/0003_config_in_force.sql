-- Up Migration

-- The configuration that every process runs: one row. `seq` rises with each that is applied, and whoever decides anything says
-- under which one. What stands here is the file as it was written, not what this version of Rounds makes of it, so that each
-- version reads it by itself. It holds references to secrets, never secrets.
create table config_in_force (
  one boolean primary key default true check (one),
  seq bigint not null,
  revision text not null,
  -- json and not jsonb: the order of the file is kept.
  source json not null,
  file text not null,
  -- Where its journeys are looked for.
  folder text not null,
  applied_at timestamptz not null default now(),
  applied_by text not null
);

-- Which worker or bot runs which configuration. One that has not been seen for half a minute is gone.
create table config_runner (
  id text primary key,
  kind text not null,
  seq bigint not null,
  seen_at timestamptz not null default now()
);
