-- Returns the text in lower case, without accents, letters and digits only, with one space between
-- words. An apostrophe separates no words. portal/patients/normalize.py has the same rules.
CREATE OR REPLACE FUNCTION patients_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        lower(regexp_replace(normalize(translate(value, U&'\0027\0060\2018\2019\02BC', ''), NFKD), U&'[\0300-\036F]', '', 'g')
            COLLATE "pg_c_utf8"),
        '[^[:alnum:]]+' COLLATE "pg_c_utf8", ' ', 'g'))
$$;
