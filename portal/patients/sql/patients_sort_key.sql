-- Returns the folded names in the order given; lists of patients are sorted by it.
CREATE OR REPLACE FUNCTION patients_sort_key(family text, given text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT patients_fold(family || ' ' || given) $$;
