-- What all the clinics share: one sequence of invoice numbers, and the answers of the ops API.

CREATE SCHEMA IF NOT EXISTS shared;

-- Auditors want invoice numbers without gaps, across all clinics: hence one row that every confirmation updates,
-- and not a sequence. It is also why one clinic that holds this table holds up all the others.
CREATE TABLE IF NOT EXISTS shared.billing_numbers (
  series text PRIMARY KEY,
  next_number bigint NOT NULL
);
-- Asked first: an INSERT would wait for a report that holds the table, and the clinic could not start.
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM shared.billing_numbers) THEN
    INSERT INTO shared.billing_numbers VALUES ('invoice', 20001);
  END IF;
END $$;

-- The answer that was given under an Idempotency-Key is given again.
CREATE TABLE IF NOT EXISTS shared.ops_answers (
  key text PRIMARY KEY,
  request text NOT NULL,
  answer jsonb NOT NULL,
  answered_at timestamptz NOT NULL DEFAULT now()
);

-- Which version of tenant.sql each clinic's schema was made from.
CREATE TABLE IF NOT EXISTS shared.schema_versions (
  schema_name text PRIMARY KEY,
  version integer NOT NULL
);

-- What each role does is counted where the server can; the monitor reads it.
DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements') THEN
    CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  NULL;
END $$;
