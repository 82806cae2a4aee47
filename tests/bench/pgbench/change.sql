\set n random(1, :count)
\set a random(1000, 9999)
BEGIN;
INSERT INTO patients_accessrecord (user_id, action, door, request_id, patient_ids)
SELECT :user, 'open', 'api', md5(:n::text), ARRAY[id] FROM bench_sample WHERE n = :n;
SELECT * FROM patients_patient WHERE id = (SELECT id FROM bench_sample WHERE n = :n) FOR UPDATE;
UPDATE patients_patient SET phone = '617 555 ' || :a::text, phone_e164 = '+1617555' || :a::text
WHERE id = (SELECT id FROM bench_sample WHERE n = :n);
COMMIT;
