-- Returns the folded words of all names, which the search looks up. A name of several words is there
-- as one word too (`delacruz` for de la Cruz), and each Chinese, Japanese or Korean character alone,
-- since such names are written without a space.
CREATE OR REPLACE FUNCTION patients_name_words(VARIADIC names text[]) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    folded text := patients_fold(array_to_string(names, ' '));
    words text[] := string_to_array(folded, ' ');
    name text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        IF name ~ '[^[:alnum:]]' THEN
            words := words || left(replace(patients_fold(name), ' ', ''), 40);
        END IF;
    END LOOP;
    IF octet_length(folded) > length(folded) THEN
        words := words || string_to_array(regexp_replace(folded,
            U&'([\1100-\11FF\3005-\3007\3041-\30FF\3400-\4DBF\4E00-\9FFF\+020000-\+03FFFF])',
            ' \1 ', 'g'), ' ');
    END IF;
    RETURN array_to_tsvector(array_remove(words, ''));
END $$;
