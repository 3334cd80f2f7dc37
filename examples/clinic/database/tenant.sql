-- One clinic. Run with search_path set to its schema; its role is granted what it needs by setup.ts.

CREATE TABLE users (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  password_hash text NOT NULL,
  -- True for the monitor: what it creates is marked synthetic too.
  synthetic boolean NOT NULL DEFAULT false
);

CREATE TABLE sessions (
  -- Only the hash: who reads the table cannot sign in with it.
  token_hash bytea PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
  csrf_token text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX ON sessions (user_id, created_at);

CREATE TABLE patients (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  born_on date NOT NULL,
  balance_cents bigint NOT NULL DEFAULT 0,
  -- Nobody in this clinic is real.
  synthetic boolean NOT NULL DEFAULT true
);

CREATE TABLE appointments (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  patient_id integer NOT NULL REFERENCES patients,
  starts_at timestamp NOT NULL,
  reason text NOT NULL,
  synthetic boolean NOT NULL DEFAULT false
);
CREATE INDEX ON appointments (starts_at);

CREATE TABLE invoices (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  patient_id integer NOT NULL REFERENCES patients,
  description text NOT NULL,
  amount_cents bigint NOT NULL CHECK (amount_cents > 0),
  status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'confirmed', 'paid')),
  number text UNIQUE,
  drawn_up_on date NOT NULL DEFAULT current_date,
  synthetic boolean NOT NULL DEFAULT false
);
CREATE INDEX ON invoices (patient_id);
CREATE INDEX ON invoices (drawn_up_on);

CREATE TABLE payments (
  invoice_id integer PRIMARY KEY REFERENCES invoices ON DELETE CASCADE,
  amount_cents bigint NOT NULL,
  paid_on date NOT NULL DEFAULT current_date
);

-- Imported from the insurers' files as they are: the amount is text, and the monthly report trusts it to be a number.
CREATE TABLE insurer_settlements (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  settled_on date NOT NULL,
  amount text NOT NULL
);

-- A patient's balance follows the invoices. The body of refresh_balance is in balance.sql.
CREATE FUNCTION refresh_balance() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER refresh_balance AFTER UPDATE OF status ON invoices FOR EACH ROW EXECUTE FUNCTION refresh_balance();

-- The report that somebody at Hillcrest wrote: it goes through every day of the month, again and again, for half an hour.
CREATE FUNCTION month_end_report(month date) RETURNS TABLE (invoiced_cents bigint) LANGUAGE plpgsql AS $$
DECLARE
  until timestamptz := clock_timestamp() + interval '30 minutes';
BEGIN
  WHILE clock_timestamp() < until LOOP
    SELECT coalesce(sum(amount_cents), 0) INTO invoiced_cents FROM invoices
      WHERE drawn_up_on >= month AND drawn_up_on < month + interval '1 month' AND status <> 'draft';
    PERFORM pg_sleep(0.5);
  END LOOP;
  RETURN NEXT;
END $$;
