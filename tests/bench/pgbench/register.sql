\set a random(1, 1000000000)
\set b random(1, 30000)
BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended(:a::text, 0));
SELECT id FROM patients_patient
WHERE name_key = patients_name_key('New' || :a::text, 'Person')
    AND date_of_birth = date '1930-01-01' + :b::int;
INSERT INTO patients_patient (
    family_name, given_name, date_of_birth, sex, email, phone, phone_e164, address_line1, city,
    region, postal_code, country, source)
VALUES ('New' || :a::text, 'Person', date '1930-01-01' + :b::int, 'female',
    'new' || :a::text || '@mail.example', '617 555 0100', '+16175550100', '1 Mill Lane', 'Boston',
    'Massachusetts', '02139', 'US', 'api')
RETURNING id \gset
INSERT INTO patients_patientidentifier (patient_id, system, value)
VALUES (:id::uuid, 'insurance', 'A' || :a::text);
INSERT INTO billing_billingaccount (patient_id, wanted_version) VALUES (:id::uuid, 1);
COMMIT;
