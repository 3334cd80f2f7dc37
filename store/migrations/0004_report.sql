-- Up Migration

-- Up to when the slots of a report have been decided on: made, or given up as missed.
create table report_watch (
  report text primary key,
  decided_until timestamptz not null
);

-- Every report that was due or asked for, with its numbers as they stood then: one row a slot, however many workers see it.
create table report (
  id bigint generated always as identity primary key,
  -- Its id in the configuration; empty when somebody asked for everything.
  report text not null,
  -- Null: asked for outside the slots.
  slot timestamptz,
  state text not null check (state in ('made', 'missed')),
  -- Why it was missed.
  reason text,
  asked_by text,
  -- See core/report/figures.ts; null when it was missed.
  numbers jsonb,
  -- What Slack has of it so far: see store/report.ts.
  files jsonb not null default '{}',
  made_at timestamptz not null default now(),
  unique (report, slot)
);

alter table outbox drop constraint outbox_kind_check;
alter table outbox add constraint outbox_kind_check check (kind in ('incident', 'thread', 'answer', 'report'));

-- A day of results without reading the rows, for reports and for what is usual: the second in the place of the narrower index.
create index result_window on result (planned_at) include (check_id, location, purpose, verdict, duration_ms);
drop index if exists result_usual;

-- What did not go as planned; all the rest of the ledger stays out of it.
create index run_exception on run (planned_at) where state in ('late', 'fault', 'missed');
