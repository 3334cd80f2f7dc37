-- Up Migration

-- A post of its own in a channel, that is no incident: what was told at a maintenance's end, who is on call from now on, an escalation.
alter table outbox drop constraint outbox_kind_check;
alter table outbox add constraint outbox_kind_check check (kind in ('incident', 'thread', 'answer', 'report', 'notice'));

-- Wanted twice, told once: `on-call/billing-ops/2026-03-29T07:00:00.000Z`. Null: told as often as it is wanted.
alter table outbox add column key text;
create unique index outbox_key on outbox (key) where key is not null;

-- Since when Slack has not taken what an incident has to say is asked for every open one.
create index outbox_incident on outbox (incident_id, seq) where incident_id is not null;

-- The steps of escalation that were settled, taken or not, each once from each beginning: the opening, or the latest raise to a worse
-- class.
create table escalation (
  incident_id bigint not null references incident (id),
  begun_at timestamptz not null,
  -- Its waiting time and whom it calls, `600s team`: a step that is changed in rounds.yaml is another one.
  step text not null,
  at timestamptz not null,
  -- Taken: `waited`, or `pressed` by somebody. All others: not taken, and why.
  reason text not null check (reason in ('waited', 'pressed', 'acknowledged', 'other-class', 'other-tier')),
  by text,
  -- Ids of the people who were called.
  people text[] not null,
  channel text,
  primary key (incident_id, begun_at, step)
);

-- Who was on call for a team when somebody looked last: a change of it is a hand-over. Teams with a rotation or overrides only.
create table on_call (
  team text primary key,
  people text[] not null,
  since timestamptz not null
);

-- What was told by mail or webhook because Slack was away: once for each incident, class (or its end) and way. A row that is `sending`
-- was sent or not, nobody knows which: it is sent again under the same id, by which a receiver tells one from two.
create table told_elsewhere (
  incident_id bigint not null references incident (id),
  -- The class that was told, or `resolved`.
  about text not null,
  way text not null check (way in ('email', 'webhook')),
  state text not null default 'wanted' check (state in ('wanted', 'sending', 'sent', 'dropped')),
  -- The mail's Message-ID and the request's Idempotency-Key are made of it.
  id uuid not null default gen_random_uuid(),
  token bigint not null default 0,
  tries int not null default 0,
  not_before timestamptz not null default now(),
  lease_until timestamptz,
  possible_duplicate boolean not null default false,
  error text,
  wanted_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (incident_id, about, way)
);
create index told_elsewhere_open on told_elsewhere (not_before) where state in ('wanted', 'sending');
