-- At each start: the diary of the next two weeks is filled where it is empty, and what is older than the reports is dropped.

INSERT INTO appointments (patient_id, starts_at, reason)
SELECT 1 + abs(hashtext(current_schema() || day || slot)) % 24,
  day + time '08:30' + slot * interval '75 minutes',
  (ARRAY['Check-up', 'Follow-up', 'Vaccination', 'Consultation'])[1 + abs(hashtext(day || current_schema() || slot)) % 4]
FROM generate_series(current_date, current_date + 14, interval '1 day') AS day, generate_series(0, 5) AS slot
WHERE NOT EXISTS (SELECT 1 FROM appointments a WHERE a.starts_at::date = day::date AND NOT a.synthetic);

DELETE FROM appointments WHERE starts_at < current_date - 400;
DELETE FROM invoices WHERE drawn_up_on < current_date - 400;
DELETE FROM sessions WHERE expires_at < now();
