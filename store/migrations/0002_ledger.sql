-- Up Migration

-- What one planner entered for one location in one turn, until it is on its queue. A row for each batch instead of a mark in each
-- run: an update writes a whole new row and its index entries.
create table run_batch (
  id bigint generated always as identity primary key,
  location text not null,
  entered_at timestamptz not null default now()
);
alter table run add column batch_id bigint;
with batch as (
  insert into run_batch (location)
  select distinct location from run where state = 'due' and queued_at is null
  returning id, location
)
update run set batch_id = batch.id from batch where run.location = batch.location and state = 'due' and queued_at is null;
-- Its index goes with it.
alter table run drop column queued_at;

-- Nobody looks for the runs of one check.
drop index run_recent;

-- Two indexes on the same columns in one: read backwards for the newest, and without the rows for durations of good runs.
drop index result_recent;
drop index result_pace;
create index result_recent on result (check_id, planned_at) include (duration_ms, verdict);

-- A state is written with every result. With room in its block and no index on what changes, that touches no index.
-- What has fallen silent is looked for once a second among at most some thousand rows.
drop index check_state_stale;
alter table check_state set (fillfactor = 50);
