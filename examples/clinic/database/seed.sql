-- Invented history for one clinic: half a year of appointments and invoices. Differs a little from clinic to clinic.

INSERT INTO patients (name, born_on)
SELECT format('%s %s',
    (ARRAY['Testa', 'Samplo', 'Demo', 'Mocka', 'Fictor', 'Synthia', 'Exempla', 'Placebo'])[1 + i % 8],
    (ARRAY['Invented', 'Nobody', 'Madeup'])[1 + i / 8]),
  date '1940-01-01' + abs(hashtext(current_schema() || i)) % 25000
FROM generate_series(0, 23) AS i;

INSERT INTO appointments (patient_id, starts_at, reason)
SELECT 1 + abs(hashtext(current_schema() || day || slot)) % 24,
  day + time '08:30' + slot * interval '75 minutes',
  (ARRAY['Check-up', 'Follow-up', 'Vaccination', 'Consultation'])[1 + abs(hashtext(day || current_schema() || slot)) % 4]
FROM generate_series(current_date - 180, current_date - 1, interval '1 day') AS day, generate_series(0, 5) AS slot
WHERE extract(isodow FROM day) < 6;

INSERT INTO invoices (patient_id, description, amount_cents, status, number, drawn_up_on)
SELECT patient_id, reason, 3500 + abs(hashtext(current_schema() || id)) % 9000,
  CASE WHEN id % 4 = 0 AND starts_at > current_date - 50 THEN 'confirmed' ELSE 'paid' END, format('H-%s', id), starts_at::date
FROM appointments WHERE id % 3 <> 0;

INSERT INTO payments (invoice_id, amount_cents, paid_on)
SELECT id, amount_cents, least(drawn_up_on + 6, current_date) FROM invoices WHERE status = 'paid';

UPDATE patients p SET balance_cents =
  (SELECT coalesce(sum(amount_cents), 0) FROM invoices i WHERE i.patient_id = p.id AND i.status = 'confirmed');

INSERT INTO insurer_settlements (settled_on, amount)
SELECT day::date, (250 + abs(hashtext(current_schema() || day)) % 400)::text || '.00'
FROM generate_series(current_date - 180, current_date, interval '1 week') AS day;
