\set n random(1, :count)
WITH patient AS (
    SELECT * FROM patients_patient WHERE id = (SELECT id FROM bench_sample WHERE n = :n)
), access AS (
    INSERT INTO patients_accessrecord (user_id, action, door, request_id, patient_ids)
    SELECT :user, 'open', 'api', md5(:n::text), ARRAY[id] FROM patient
)
SELECT to_json(patient),
    (SELECT json_agg(held) FROM patients_patientidentifier AS held WHERE patient_id = patient.id),
    (SELECT to_json(account) FROM billing_billingaccount AS account WHERE patient_id = patient.id)
FROM patient;
