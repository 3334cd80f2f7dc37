-- Up Migration

-- Runs are looked for by when they were told, to count those that are new. They lie in that order, so a summary of each block is enough.
create index run_received on run using brin (received_at) with (autosummarize = on);

-- What is counted of the slots of a check, see core/slo/slo.ts: that they succeed (the criterion is empty), or what an objective says. Never
-- taken away by a change of the configuration: what was counted remains.
create table rollup_series (
  id int generated always as identity primary key,
  check_key int not null references check_key,
  criterion text not null default '',
  faster_ms float8,
  measurement text,
  op text check (op in ('lt', 'lte', 'gt', 'gte')),
  limit_value float8,
  -- Counted later than its runs came: from this minute on it is still to be counted. Null: nothing is.
  backfill_from int,
  backfill_until int,
  unique (check_key, criterion)
);
create index rollup_series_backfill on rollup_series (id) where backfill_from is not null;

-- Slots by minute, hour and day, numbered from 1970 in UTC: good, bad, and not seen. A slot belongs to the minute in which it begins.
-- `sketch`: durations of scheduled runs that were not down, of availability alone: core/sketch.ts. `places`: how they ended at each
-- location: core/places.ts.
-- By the minute as long as runs are kept, in partitions of six hours that are dropped whole.
create table rollup_minute (
  series int not null,
  at int not null,
  good smallint not null,
  bad smallint not null,
  unseen smallint not null,
  sketch bytea,
  primary key (series, at)
) partition by range (at);
-- Nearly no slot is bad: whoever looks for burning budgets reads only these.
create index rollup_minute_bad on rollup_minute (at) include (series, bad) where bad > 0;
-- For those who read an hour of all series.
create index rollup_minute_at on rollup_minute using brin (at) with (autosummarize = on);

create table rollup_hour (
  series int not null,
  at int not null,
  good smallint not null,
  bad smallint not null,
  unseen smallint not null,
  sketch bytea,
  places bytea,
  primary key (series, at)
);
create index rollup_hour_bad on rollup_hour (at) include (series, bad) where bad > 0;
create index rollup_hour_at on rollup_hour using brin (at) with (autosummarize = on);

create table rollup_day (
  series int not null,
  at int not null,
  good int not null,
  bad int not null,
  unseen int not null,
  sketch bytea,
  places bytea,
  primary key (series, at)
);

-- How far it has come: one row, and who holds it does the work.
create table rollup_progress (
  one boolean primary key default true check (one),
  -- Runs that were told before are counted.
  received_until timestamptz not null,
  -- Whole hours and days before are made, in minutes.
  hours_until int not null,
  days_until int not null,
  -- Rises with whatever is counted.
  turn bigint not null default 0
);
insert into rollup_progress (received_until, hours_until, days_until)
select coalesce(min(received_at), now()), floor(extract(epoch from coalesce(min(slot), now())) / 3600)::int * 60,
  floor(extract(epoch from coalesce(min(slot), now())) / 86400)::int * 1440
from run;

-- Makes the partitions for those minutes which are not there, six hours each.
create function make_rollup_partitions(since int, until int) returns int language plpgsql as $$
declare
  width constant int := 360;
  lower int := since / width * width;
  name text;
  made int := 0;
begin
  while lower <= until loop
    name := 'rollup_minute_' || lower;
    if to_regclass(name) is null then
      lock table rollup_minute in share update exclusive mode;
      if to_regclass(name) is null then
        execute format('create table %I (like rollup_minute including defaults)', name);
        execute format('alter table rollup_minute attach partition %I for values from (%s) to (%s)', name, lower, lower + width);
        made := made + 1;
      end if;
    end if;
    lower := lower + width;
  end loop;
  return made;
end $$;

-- Drops the partitions all of whose minutes are before that one.
create function drop_rollup_partitions(before int) returns int language plpgsql as $$
declare
  partition text;
  dropped int := 0;
begin
  for partition in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'rollup_minute'::regclass and split_part(c.relname, '_', 3)::int + 360 <= before
  loop
    execute format('drop table %I', partition);
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$;

-- How each budget burns: `state` is what core/slo/evaluate.ts keeps, `burn` what burns now (core/slo/burn.ts), null when nothing does.
create table slo_state (
  service text not null,
  slo text not null,
  -- Empty: of the whole service.
  tenant text not null default '',
  state jsonb not null,
  burn jsonb,
  changed_at timestamptz not null default now(),
  primary key (service, slo, tenant)
);
create index slo_state_burning on slo_state (service) where burn is not null;
