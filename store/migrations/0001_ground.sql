-- Up Migration

-- The configuration each decision was made under.
create table config_revision (
  revision text primary key,
  config jsonb not null,
  first_seen timestamptz not null default now()
);

-- How long planning has gone on without a gap: what was due while Rounds was stopped was never due.
create table planner (
  one boolean primary key default true check (one),
  planning_since timestamptz not null,
  beat_at timestamptz not null,
  planned_until timestamptz not null
);

-- The ledger: every run that was due, and how it ended. Never deleted by anything but retention.
create table run (
  name text primary key,
  check_id text not null,
  location text not null,
  slot timestamptz not null,
  purpose text not null check (purpose in ('scheduled', 'confirm', 'verify', 'manual')),
  ask_id bigint not null default 0,
  revision text not null,
  planned_at timestamptz not null,
  not_after timestamptz not null,
  state text not null default 'due' check (state in ('due', 'run', 'late', 'fault', 'missed')),
  reason text,
  entered_at timestamptz not null default now(),
  queued_at timestamptz,
  ended_at timestamptz
);
create index run_due on run (not_after) where state = 'due';
create index run_unqueued on run (entered_at) where state = 'due' and queued_at is null;
create index run_ask on run (ask_id) where ask_id <> 0;
create index run_recent on run (check_id, location, planned_at desc);

create table result (
  run text primary key,
  check_id text not null,
  location text not null,
  purpose text not null,
  ask_id bigint not null default 0,
  revision text not null,
  planned_at timestamptz not null,
  received_at timestamptz not null default now(),
  verdict text not null check (verdict in ('up', 'degraded', 'down', 'fault')),
  failure jsonb,
  duration_ms real not null,
  start_lateness_ms real not null,
  steps jsonb not null,
  measurements jsonb not null,
  attempts jsonb not null,
  findings jsonb not null,
  picture_id bigint
);
create index result_recent on result (check_id, planned_at desc);
-- For what is usual: durations of good runs, without reading the rows.
create index result_pace on result (check_id, planned_at) include (duration_ms) where verdict = 'up';
create index result_usual on result (planned_at) include (check_id, duration_ms) where verdict = 'up';
create index result_ask on result (ask_id) where ask_id <> 0;

create table picture (
  id bigint generated always as identity primary key,
  run text not null,
  mime text not null,
  bytes bytea not null,
  made_at timestamptz not null default now()
);

-- Folded results of a check, one row, one lock: see core/evaluate.ts for what `state` holds.
create table check_state (
  check_id text primary key,
  scope text not null,
  revision text not null,
  state jsonb not null,
  -- When the freshest quorum runs out if nothing comes: the sweeper looks at the check then.
  stale_at timestamptz,
  updated_at timestamptz not null default now()
);
create index check_state_stale on check_state (stale_at) where stale_at is not null;
create index check_state_scope on check_state (scope);

-- Services and components that are judged together. `dirty_seq` above `judged_seq`: there is something to judge.
create table scope (
  id text primary key,
  dirty_seq bigint not null default 0,
  judged_seq bigint not null default 0,
  dirty_at timestamptz
);
create index scope_dirty on scope (dirty_at) where dirty_seq > judged_seq;

-- Runs that somebody wants outside the slots: confirmations, verifications, presses.
create table ask (
  id bigint generated always as identity primary key,
  purpose text not null check (purpose in ('confirm', 'verify', 'manual')),
  -- Asked twice, made once: `confirm/post-invoice@1790000000000`.
  key text not null unique,
  checks jsonb not null,
  incident_id bigint,
  execution_id uuid,
  answer_to jsonb,
  state text not null default 'wanted' check (state in ('wanted', 'planned', 'done')),
  wanted_at timestamptz not null default now(),
  ends_at timestamptz
);
create index ask_open on ask (state) where state <> 'done';

create table incident (
  id bigint generated always as identity primary key,
  scope text not null,
  class text not null check (class in ('full interruption', 'partial outage', 'degradation', 'risk', 'blind')),
  -- The worst it has been.
  peak text not null,
  state text not null default 'open' check (state in ('open', 'resolved')),
  -- Rises with every change that people see: buttons are bound to it.
  revision int not null default 1,
  channel text not null,
  -- What is known now: see core/incident.ts.
  facts jsonb not null,
  config_revision text not null,
  began_at timestamptz not null,
  opened_at timestamptz not null,
  acknowledged_at timestamptz,
  acknowledged_by text,
  resolved_at timestamptz,
  resolution text,
  picture_id bigint
);
create unique index incident_open on incident (scope) where state = 'open';
create index incident_recent on incident (opened_at desc);

-- What is told in the thread, in the order of its happening.
create table timeline (
  id bigint generated always as identity primary key,
  incident_id bigint not null references incident (id),
  at timestamptz not null,
  kind text not null,
  data jsonb not null
);
create index timeline_incident on timeline (incident_id, id);

-- Every decision with its reason by name and what it was made from.
create table decision (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  scope text not null,
  incident_id bigint,
  subject text not null,
  reason text not null,
  inputs jsonb not null,
  config_revision text not null
);
create index decision_incident on decision (incident_id, id);

-- What Slack has of an incident.
create table post (
  incident_id bigint primary key references incident (id),
  channel text not null,
  ts text,
  file_id text,
  picture_id bigint,
  shown_revision int not null default 0
);

-- What Slack is to be told. Level-triggered: a row says what to tell of, the bot renders what is true when it sends.
create table outbox (
  id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  kind text not null check (kind in ('incident', 'thread', 'answer')),
  -- The order that must hold: `incident/12`.
  lane text not null,
  channel text,
  incident_id bigint references incident (id),
  timeline_id bigint references timeline (id),
  payload jsonb not null default '{}',
  priority int not null,
  reason text not null,
  state text not null default 'wanted' check (state in ('wanted', 'claimed', 'sent', 'superseded', 'refused')),
  token bigint not null default 0,
  lease_until timestamptz,
  -- Set when a request went out, so that whoever takes over an unclear one looks in the history first.
  sending_since timestamptz,
  not_before timestamptz not null default now(),
  tries int not null default 0,
  ts text,
  possible_duplicate boolean not null default false,
  error text,
  made_at timestamptz not null default now(),
  ended_at timestamptz
);
create index outbox_open on outbox (priority, seq) where state in ('wanted', 'claimed');
-- Pacing asks which channels were spoken to in the last second.
create index outbox_sending on outbox (sending_since) where sending_since is not null;
create index outbox_lane on outbox (lane, seq) where state in ('wanted', 'claimed');

-- What a button means. Its value in Slack is the id and nothing else.
create table button (
  id text primary key,
  incident_id bigint not null references incident (id),
  incident_revision int not null,
  verb text not null,
  params jsonb not null,
  made_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  used_by text,
  unique (incident_id, incident_revision, verb, params)
);

create table execution (
  id uuid primary key default gen_random_uuid(),
  incident_id bigint not null references incident (id),
  runbook text not null,
  title text not null,
  action text not null,
  location text not null,
  params jsonb not null,
  target jsonb not null,
  asked_by text not null,
  asked_at timestamptz not null default now(),
  state text not null default 'wanted' check (state in ('wanted', 'sent', 'done', 'failed', 'refused', 'unclear')),
  token int not null default 0,
  not_after timestamptz not null,
  summary text,
  duration_ms real,
  ended_at timestamptz,
  verify jsonb not null
);
create index execution_open on execution (state) where state in ('wanted', 'sent');

-- Signed requests and click ids that were seen: a replay has no effect.
create table seen_request (
  id text primary key,
  at timestamptz not null default now()
);

-- Who did or tried what. The application's role may only add.
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor text not null,
  verb text not null,
  subject text not null,
  outcome text not null check (outcome in ('done', 'refused')),
  reason text not null,
  data jsonb not null default '{}'
);
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append-only';
end $$;
create trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function audit_is_append_only();
