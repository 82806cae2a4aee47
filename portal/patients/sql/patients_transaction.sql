-- Returns the number of the running transaction; the triggers compare it with `changed_in`.
CREATE OR REPLACE FUNCTION patients_transaction() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT pg_current_xact_id()::text::bigint $$;
