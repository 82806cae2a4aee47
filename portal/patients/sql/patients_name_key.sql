-- Returns the words of both names in the order of the alphabet: the same key for Nguyễn | Văn Bình
-- and Bình | Nguyễn Văn. Characters of Chinese, Japanese and Korean stand for words, since such
-- names are written without a space. portal/patients/normalize.py has the same rule.
CREATE OR REPLACE FUNCTION patients_name_key(family text, given text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    name text := patients_sort_key(family, given);
BEGIN
    IF octet_length(name) > length(name) THEN
        name := regexp_replace(name, U&'([\1100-\11FF\3005-\3007\3041-\30FF'
            || U&'\3400-\4DBF\4E00-\9FFF\+020000-\+03FFFF])', ' \1 ', 'g');
    END IF;
    RETURN array_to_string(
        array_sort(array_remove(string_to_array(name, ' '), '') COLLATE "C"), ' ');
END $$;
