-- Returns the folded words of all names, which the search looks up.
CREATE OR REPLACE FUNCTION patients_name_words(VARIADIC names text[]) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array_remove(string_to_array(patients_fold(array_to_string(names, ' ')), ' '), ''))
$$;
