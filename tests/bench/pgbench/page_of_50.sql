WITH page AS (
    SELECT * FROM patients_patient WHERE status = 'active' 
    ORDER BY sort_key, id LIMIT 50
), access AS (
    INSERT INTO patients_accessrecord (user_id, action, door, request_id, patient_ids)
    SELECT :user, 'list', 'api', md5('page'), array_agg(id) FROM page
)
SELECT to_json(page),
    (SELECT json_agg(held) FROM patients_patientidentifier AS held WHERE patient_id = page.id),
    (SELECT to_json(account) FROM billing_billingaccount AS account WHERE patient_id = page.id)
FROM page;
