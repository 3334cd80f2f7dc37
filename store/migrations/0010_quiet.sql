-- Up Migration

-- What somebody keeps quiet for a while: measured and judged all the same, and not told. Never deleted: it is part of the story.
create table silence (
  id bigint generated always as identity primary key,
  -- What it covers, in words.
  title text not null,
  reason text not null check (reason <> ''),
  -- A person's id of the configuration, as in the audit log.
  made_by text not null,
  made_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > made_at and ends_at <= made_at + interval '7 days'),
  -- Ids of what it covers. Several kinds given: all must fit.
  services text[] not null default '{}',
  components text[] not null default '{}',
  tenants text[] not null default '{}',
  checks text[] not null default '{}',
  check (cardinality(services || components || tenants || checks) > 0),
  -- The incident whose button it came from.
  incident_id bigint references incident (id),
  -- Ended before its time, and by whom.
  ended_at timestamptz,
  ended_by text,
  -- Its end was acted upon: what it covered is judged anew, and what it kept back was summed up.
  settled_at timestamptz
);
create index silence_open on silence (ends_at) where settled_at is null;

-- Maintenance windows that a worker has seen begin, as they then stood, until their end was acted upon.
create table quiet_window (
  -- `sunday-night@1790000000000`
  id text primary key,
  title text not null,
  from_at timestamptz not null,
  until_at timestamptz not null,
  services text[] not null default '{}',
  components text[] not null default '{}',
  tenants text[] not null default '{}',
  checks text[] not null default '{}',
  -- Since when what it kept back counts: its begin, unless the configuration had lost it meanwhile.
  since timestamptz not null,
  settled_at timestamptz
);
create index quiet_window_open on quiet_window (until_at) where settled_at is null;

-- What was kept back, by the window or the silence that did.
create index decision_quiet on decision ((inputs->>'quiet')) where subject = 'quiet';
