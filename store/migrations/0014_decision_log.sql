-- Up Migration

-- The log by which deciding can be done once more (core/replay.ts): one row for each transaction that folded, judged, put a configuration
-- in force or did what somebody pressed. It holds what went into it and is not kept elsewhere; runs are named by their numbers in `run`.
create sequence decision_log_seq as bigint;
create table decision_log (
  -- Drawn while the locks are held: the true order of folding for one check, and of judging for one scope.
  seq bigint not null default nextval('decision_log_seq'),
  -- The transaction, by which its decisions are found, and by which a snapshot says whether it was to be seen.
  xid xid8 not null default pg_current_xact_id(),
  -- By PostgreSQL's clock: for the partitions.
  logged_at timestamptz not null default now(),
  -- By the clock of whoever decided: the `now` of the decision, milliseconds.
  at_ms bigint not null,
  -- Since when planning has gone on, as it was read.
  planning_since_ms bigint,
  kind text not null check (kind in ('fold', 'judge', 'config', 'press', 'checkpoint')),
  -- What was folded, in its order: see core/replay/code.ts.
  runs text,
  -- The scope that was judged, and what was to be seen when its checks were read.
  scope text,
  snapshot pg_snapshot,
  -- What is left: see core/replay/entry.ts. Of a judgement only what is other than at the one of the scope before.
  inputs json
) partition by range (logged_at);

-- Makes the partitions of these days, in UTC, which are not there. Nobody who writes waits for it.
create function make_decision_log_partitions(since timestamptz, until timestamptz) returns int language plpgsql as $$
declare
  lower timestamptz := date_bin('1 day', since, '2000-01-01 00:00:00+00');
  name text;
  made int := 0;
begin
  while lower <= until loop
    name := 'decision_log_' || to_char(lower at time zone 'UTC', 'YYYYMMDD');
    if to_regclass(name) is null then
      lock table decision_log in share update exclusive mode;
      if to_regclass(name) is null then
        execute format('create table %I (like decision_log including defaults including constraints) with (autovacuum_vacuum_insert_threshold = -1)', name);
        execute format('alter table decision_log attach partition %I for values from (%L) to (%L)', name, lower, lower + interval '1 day');
        made := made + 1;
      end if;
    end if;
    lower := lower + interval '1 day';
  end loop;
  return made;
end $$;
select make_decision_log_partitions(now() - interval '1 day', now() + interval '30 days');

-- Where a replay can begin: all states, open incidents, memories and what is thought of the locations, of one moment.
create table decision_checkpoint (
  id bigint generated always as identity primary key,
  taken_at timestamptz not null default now(),
  at_ms bigint not null,
  snapshot pg_snapshot not null,
  revision text not null,
  version text not null,
  content json not null
);

-- Which transaction decided it. Rows of before have none.
alter table decision add column xid xid8;
alter table decision alter column xid set default pg_current_xact_id();
-- For replays and for the pages of `why`.
create index decision_xid on decision (xid);

-- What went into the last judgement of the scope.
alter table scope add column logged jsonb not null default '{}';

-- The order of its keys counts: who is asked first, what is named first.
alter table config_revision alter column config type json;
