-- Up Migration

-- The agents that have reported, as workers heard them: noted at most every 10 s for each, forgotten a day after its last report.
-- The location is the queue's; all else is what the agent says of itself.
create table agent (
  location text not null,
  name text not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  -- How far its clock is behind the worker's, with the way of the report in it.
  skew_ms float8 not null,
  -- Reports that waited on its disk; null when it did not say.
  spooled int,
  version text,
  primary key (location, name)
);
