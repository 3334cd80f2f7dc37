-- Up Migration

-- What a form means that somebody has open. Its `private_metadata` in Slack is the id and nothing else.
create table modal (
  id text primary key,
  verb text not null,
  params jsonb not null,
  -- Of a form that a button of an incident opened.
  button_id text references button (id),
  incident_id bigint references incident (id),
  incident_revision int,
  -- Slack's id of who opened it: nobody else may send it.
  opened_by text not null,
  -- Where its answer goes: {responseUrl, channel}, or nothing for a direct message.
  answer_to jsonb not null,
  made_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index modal_expires on modal (expires_at);

-- Who has looked at the Home tab of Rounds, and what it shows them.
create table home_view (
  user_id text primary key,
  looked_at timestamptz not null,
  -- When somebody last set out to publish it; a bot that dies in between is overtaken after a while.
  tried_at timestamptz not null default '-infinity',
  -- Of what is shown, without what changes by itself; null when that is not known.
  digest text,
  -- Slack's, so that of two bots the later does not undo what the other published.
  hash text
);
create index home_view_looked on home_view (looked_at);
