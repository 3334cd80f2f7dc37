-- Up Migration

-- Runs in half of the room: what is due is entered as batches, and a run has one row, written once when it has ended, in partitions that
-- are dropped whole. The tables before had two rows, six indexes and an update for each run.

create type verdict as enum ('up', 'degraded', 'down', 'fault');
create type purpose as enum ('scheduled', 'confirm', 'verify', 'manual');
create type run_state as enum ('run', 'late', 'fault', 'missed');

-- Numbers in the place of names, in rows of which there are millions. They are never taken away: a check that comes back has its own.
create table check_key (
  key int generated always as identity primary key,
  check_id text not null unique,
  -- When it was first planned.
  since timestamptz not null default now()
);
create table location_key (
  key smallint generated always as identity primary key,
  location text not null unique
);
create table revision_key (
  key int generated always as identity primary key,
  revision text not null unique
);

-- The names of a result's numbers, which are the same in each run of a check: first those of its measurements, then those of its steps.
create table shape (
  key int generated always as identity primary key,
  digest uuid not null unique,
  measurements text[] not null,
  steps text[] not null
);

-- The ledger, first part: what is due. One row for what was planned for one location in one second, or for one ask at one location,
-- until its time is over. `checks` and `offsets_ms` are the runs: which check, and how long after the second its slot begins.
create table due (
  id bigint generated always as identity primary key,
  location_key smallint not null,
  second timestamptz not null,
  -- 0: scheduled.
  ask_id int not null default 0,
  purpose purpose not null,
  revision_key int not null,
  -- When to begin; null: when its slot begins.
  planned_at timestamptz,
  -- For so long after that a run may begin.
  lasts_ms int not null,
  -- When the last of them must have ended, with all attempts.
  ends_at timestamptz not null,
  queued boolean not null default false,
  entered_at timestamptz not null default now(),
  checks int[] not null,
  offsets_ms smallint[] not null
) with (fillfactor = 70);
create index due_slot on due (location_key, second);
create index due_ends on due (ends_at);
create index due_ask on due (ask_id) where ask_id <> 0;
create index due_unqueued on due (id) where not queued;

alter table run rename to old_run;
alter table old_run rename constraint run_pkey to old_run_pkey;
drop index run_ask;
alter table result rename to old_result;

-- The ledger, second part: every run that has ended, and its result if it brought one.
create table run (
  slot timestamptz not null,
  received_at timestamptz not null default now(),
  -- When it was to begin; null: when its slot began.
  planned_at timestamptz,
  picture_id bigint,
  check_key int not null,
  -- 0: scheduled.
  ask_id int not null default 0,
  revision_key int not null,
  state run_state not null,
  -- Null: scheduled.
  asked purpose,
  -- Null: it brought no result, and `reason` says why.
  verdict verdict,
  duration_ms real,
  start_lateness_ms real,
  shape_key int,
  location_key smallint not null,
  -- The values of the measurements, then the durations of the steps, milliseconds, in the order of the shape, with a space between them.
  numbers text,
  -- Why it is late, at fault or missed.
  reason text,
  failure jsonb,
  -- What is seldom: `attempts` when there was more than one, `findings`, `outcomes` of steps that did not all pass, and
  -- `measurements` and `steps` where there is no shape.
  detail jsonb,
  constraint run_pkey primary key (check_key, slot, location_key, ask_id)
) partition by range (slot);
create index run_slot on run using brin (slot) with (autosummarize = on);
create index run_ask on run (ask_id) where ask_id <> 0;

-- Finer than a day, so that little more is kept than is asked for.
create function run_partition_width() returns interval language sql immutable as $$ select interval '6 hours' $$;

-- Makes the partitions for that time which are not there, named by the hour in which they begin, in UTC.
-- Nobody who reads or writes runs waits for it, since a partition is filled with nothing before it is attached.
create function make_run_partitions(since timestamptz, until timestamptz) returns int language plpgsql as $$
declare
  width constant interval := run_partition_width();
  lower timestamptz := date_bin(width, since, '2000-01-01 00:00:00+00');
  name text;
  made int := 0;
begin
  while lower <= until loop
    name := 'run_' || to_char(lower at time zone 'UTC', 'YYYYMMDD_HH24');
    if to_regclass(name) is null then
      -- The lock that attaching takes anyway: one makes them at a time, and who comes second looks again.
      lock table run in share update exclusive mode;
      if to_regclass(name) is null then
        -- A partition is written once and dropped: nothing in it is ever to be cleaned.
        execute format('create table %I (like run including defaults) with (autovacuum_vacuum_insert_threshold = -1)', name);
        execute format('alter table run attach partition %I for values from (%L) to (%L)', name, lower, lower + width);
        made := made + 1;
      end if;
    end if;
    lower := lower + width;
  end loop;
  return made;
end $$;

-- What is there already, as far back as runs are kept.
insert into check_key (check_id, since) select check_id, min(planned_at) from old_run group by 1 order by 1;
insert into location_key (location) select distinct location from old_run order by 1;
insert into revision_key (revision) select distinct revision from old_run order by 1;

select make_run_partitions(
  least(now(), coalesce(min(slot) filter (where slot > now() - interval '48 hours'), now())),
  greatest(now(), coalesce(max(slot), now())) + interval '1 day')
from old_run;

insert into run (slot, received_at, planned_at, picture_id, check_key, ask_id, revision_key, state, asked, verdict, duration_ms,
  start_lateness_ms, location_key, reason, failure, detail)
select date_trunc('milliseconds', old.slot), coalesce(said.received_at, old.ended_at, old.planned_at),
  nullif(date_trunc('milliseconds', old.planned_at), date_trunc('milliseconds', old.slot)), said.picture_id, c.key, old.ask_id, r.key,
  old.state::run_state, nullif(old.purpose, 'scheduled')::purpose, said.verdict::verdict, said.duration_ms, said.start_lateness_ms, l.key,
  old.reason, said.failure,
  nullif(jsonb_strip_nulls(jsonb_build_object(
    'attempts', case when jsonb_array_length(said.attempts) > 1 then said.attempts end,
    'findings', nullif(said.findings, '[]'), 'measurements', nullif(said.measurements, '{}'), 'steps', nullif(said.steps, '[]'))), '{}')
from old_run old
join check_key c using (check_id) join location_key l using (location) join revision_key r using (revision)
left join old_result said on said.run = old.name
where old.state <> 'due' and old.slot > now() - interval '48 hours'
on conflict do nothing;

insert into due (location_key, second, ask_id, purpose, revision_key, planned_at, lasts_ms, ends_at, queued, entered_at, checks, offsets_ms)
select l.key, date_trunc('second', old.slot), old.ask_id, min(old.purpose)::purpose, max(r.key),
  case when old.ask_id <> 0 then date_trunc('milliseconds', min(old.planned_at)) end, old.lasts_ms,
  max(old.not_after) + interval '1 minute', old.queued, min(old.entered_at),
  array_agg(c.key order by old.slot, c.key),
  array_agg((extract(milliseconds from old.slot)::int % 1000)::smallint order by old.slot, c.key)
from (
  select *, (extract(epoch from not_after - planned_at) * 1000)::int as lasts_ms, not exists (select from run_batch where id = batch_id) as queued
  from old_run where state = 'due') as old
join check_key c using (check_id) join location_key l using (location) join revision_key r using (revision)
group by l.key, date_trunc('second', old.slot), old.ask_id, old.lasts_ms, old.queued;

drop table old_run;
drop table old_result;
drop table run_batch;

-- A state is read and written whole, with every result: as text that is cheaper.
alter table check_state alter column state type json;
-- What a status of everything needs of it: what is held, and when each location was last heard, as `up north 1790000000000`. Null where that
-- was not written yet.
alter table check_state add column brief text;

-- What is too old is looked for by its time.
create index decision_at on decision using brin (at);

-- How a run is named: core/run.ts.
create function run_name(check_id text, location text, slot timestamptz, purpose purpose, ask_id int) returns text
language sql immutable parallel safe as $$
  select check_id || '@' || location || '@' || round(extract(epoch from slot) * 1000)::bigint || '@'
    || case purpose when 'scheduled' then 'scheduled' when 'confirm' then 'confirm' when 'verify' then 'verify' else 'manual' end || '@' || ask_id
$$;

-- Every run that has ended, with the names of check and location; `verdict` is null where it brought no result.
create view slot_result as
select c.check_id, l.location, r.slot, coalesce(r.asked, 'scheduled') as purpose, r.verdict, r.duration_ms,
  coalesce(r.planned_at, r.slot) as planned_at, r.received_at, r.state, r.reason, r.ask_id, r.check_key, r.location_key
from run r join check_key c on c.key = r.check_key join location_key l on l.key = r.location_key;

-- The whole ledger: what is due and has not ended, and what has ended.
create view ledger as
select run_name(c.check_id, l.location, one.slot, d.purpose, d.ask_id) as name, c.check_id, l.location, one.slot, d.purpose, d.ask_id,
  v.revision, coalesce(d.planned_at, one.slot) as planned_at, 'due' as state, null as reason
from due d
cross join lateral (
  select check_key, d.second + offset_ms * interval '1 ms' as slot from unnest(d.checks, d.offsets_ms) as one (check_key, offset_ms)) as one
join check_key c on c.key = one.check_key join location_key l on l.key = d.location_key join revision_key v on v.key = d.revision_key
where not exists (
  select from run r
  where r.check_key = one.check_key and r.slot = one.slot and r.location_key = d.location_key and r.ask_id = d.ask_id)
union all
select run_name(c.check_id, l.location, r.slot, coalesce(r.asked, 'scheduled'), r.ask_id), c.check_id, l.location, r.slot,
  coalesce(r.asked, 'scheduled'), r.ask_id, v.revision, coalesce(r.planned_at, r.slot), r.state::text, r.reason
from run r join check_key c on c.key = r.check_key join location_key l on l.key = r.location_key join revision_key v on v.key = r.revision_key;

-- What agents reported, with everything that belongs to it. For few rows: what is seldom read is put together for each.
create view result as
select run_name(c.check_id, l.location, r.slot, coalesce(r.asked, 'scheduled'), r.ask_id) as run, c.check_id, l.location,
  coalesce(r.asked, 'scheduled') as purpose, r.ask_id, v.revision, r.slot, coalesce(r.planned_at, r.slot) as planned_at, r.received_at,
  r.verdict, r.failure, r.duration_ms, r.start_lateness_ms,
  case when r.shape_key is null then coalesce(r.detail->'steps', '[]')
    else (
      select coalesce(jsonb_agg(jsonb_build_object('name', step.name, 'durationMs', step.value::numeric,
        'outcome', coalesce(r.detail->'outcomes'->>(step.place - 1)::int, 'passed')) order by step.place), '[]')
      from shape s, unnest(s.steps, (string_to_array(r.numbers, ' '))[cardinality(s.measurements) + 1:]) with ordinality as step (name, value, place)
      where s.key = r.shape_key) end as steps,
  case when r.shape_key is null then coalesce(r.detail->'measurements', '{}')
    else (
      select coalesce(jsonb_object_agg(one.name, one.value::numeric), '{}')
      from shape s, unnest(s.measurements, (string_to_array(r.numbers, ' '))[:cardinality(s.measurements)]) as one (name, value)
      where s.key = r.shape_key) end as measurements,
  coalesce(r.detail->'attempts',
    jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('verdict', r.verdict, 'durationMs', r.duration_ms, 'failure', r.failure)))) as attempts,
  coalesce(r.detail->'findings', '[]') as findings, r.picture_id
from run r join check_key c on c.key = r.check_key join location_key l on l.key = r.location_key join revision_key v on v.key = r.revision_key
where r.verdict is not null;
