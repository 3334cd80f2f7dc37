-- Up Migration

-- Several problems of one scope may be open at once. What each is put down to stands in `root`; the scope's lock keeps two of one root apart.
drop index incident_open;
alter table incident add column root text not null default '';
alter table incident add column merged_into bigint references incident (id);
create index incident_open on incident (scope) where state = 'open';

-- What is known of an incident has more to it: what was open goes on with what was known of it.
update incident set
  root = case
    when jsonb_array_length(facts->'services') > 0 then 'service:' || (facts->'services'->0->>'id')
    when jsonb_array_length(facts->'components') > 0 then 'component:' || (facts->'components'->0->>'id')
    else 'blind:checks' end;
update incident set facts = jsonb_build_object(
    'root', root,
    'members', coalesce((select jsonb_agg(distinct one) from (
        select jsonb_array_elements_text(symptom->'checks') as one
        from jsonb_array_elements(facts->'services') service, jsonb_array_elements(service->'symptoms') symptom
        union select component->>'check' from jsonb_array_elements(facts->'components') component) as members), '[]'),
    'suspects', '[]'::jsonb, 'changes', '[]'::jsonb, 'burns', '[]'::jsonb, 'locations', '[]'::jsonb,
    'shown', jsonb_build_object('atMs', '[]'::jsonb, 'visible', 0, 'material', 0, 'headline', '')) || facts;
alter table incident alter column root drop default;

-- What a scope remembers from one judgement to the next (`ScopeMemory` in core/judge.ts), and when it is to be judged though nothing new came.
alter table scope add column memory jsonb not null default '{"quieted": {}, "explained": {}, "burning": []}';
alter table scope add column judge_at timestamptz;
create index scope_later on scope (judge_at) where judge_at is not null;

-- Locations that are not to be believed, or of which nothing comes (`LocationTrouble` in core/location.ts).
create table location_trouble (
  location text primary key,
  trouble jsonb not null,
  noted_at timestamptz not null default now()
);
