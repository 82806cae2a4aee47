-- Returns the folded names in the order given; lists of patients are sorted by it.
-- A function in SQL would be parsed and planned again for each statement that writes a patient, since
-- generated columns call it; one in plpgsql keeps its plan.
CREATE OR REPLACE FUNCTION patients_sort_key(family text, given text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN patients_fold(family || ' ' || given);
END $$;
