-- Computes the search keys of each patient anew where a function gives another one by now, a few
-- patients at a time. No row is locked for longer than its batch takes, and no lock is waited for:
-- a patient whom somebody else is changing comes in the next pass. Nothing is logged, since no
-- recorded column changes. Call it outside of a transaction.
CREATE OR REPLACE PROCEDURE patients_compute_search_keys(batch_size int DEFAULT 1000)
LANGUAGE plpgsql AS $$
DECLARE
    past uuid;
    up_to uuid;
    outdated uuid[];
    written int;
    is_done boolean;
BEGIN
    LOOP
        past := '00000000-0000-0000-0000-000000000000';
        is_done := true;
        LOOP
            up_to := (SELECT id FROM (
                SELECT id FROM patients_patient WHERE id > past ORDER BY id LIMIT batch_size
            ) AS batch ORDER BY id DESC LIMIT 1);
            EXIT WHEN up_to IS NULL;
            outdated := ARRAY(
                SELECT id FROM patients_patient
                WHERE id > past AND id <= up_to AND (
                    (name_key, phone_tail, second_phone_tail, sort_key, given_key, name_words)
                    IS DISTINCT FROM (
                        patients_name_key(family_name, given_name),
                        patients_nth_phone_tail(phone, phone_e164, 1),
                        patients_nth_phone_tail(phone, phone_e164, 2),
                        patients_sort_key(family_name, given_name),
                        patients_sort_key(given_name, family_name),
                        patients_name_words(given_name, middle_name, family_name, preferred_name)
                    )
                )
            );
            UPDATE patients_patient SET family_name = family_name
            WHERE id IN (
                SELECT id FROM patients_patient WHERE id = ANY(outdated)
                FOR NO KEY UPDATE SKIP LOCKED
            );
            GET DIAGNOSTICS written = ROW_COUNT;
            is_done := is_done AND written = cardinality(outdated);
            COMMIT;
            past := up_to;
        END LOOP;
        EXIT WHEN is_done;
        PERFORM pg_sleep(0.5);
    END LOOP;
END $$;
