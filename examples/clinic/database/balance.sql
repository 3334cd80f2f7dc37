-- The good version: the balance of the one patient whose invoice changed, by an index.
CREATE OR REPLACE FUNCTION refresh_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE patients SET balance_cents =
    (SELECT coalesce(sum(amount_cents), 0) FROM invoices WHERE patient_id = NEW.patient_id AND status = 'confirmed')
    WHERE id = NEW.patient_id;
  RETURN NULL;
END $$;
