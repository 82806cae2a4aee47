-- Returns a hash of the first seven letters as they are, without each letter and (from four letters
-- on) without each pair of letters. Two words that are one or two slips apart have a hash in common
-- (W. Garbe's symmetric deletes).
CREATE OR REPLACE FUNCTION patients_parings(word text) RETURNS int[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    w text COLLATE "C" := left(word, 7);
    once text COLLATE "C";
    size int := length(w);
    found int[] := ARRAY[hashtext(w)];
BEGIN
    IF size < 3 THEN
        RETURN found;
    END IF;
    FOR i IN 1 .. size LOOP
        once := left(w, i - 1) || substr(w, i + 1);
        found := found || hashtext(once);
        IF size > 3 THEN
            FOR j IN i .. size - 1 LOOP
                found := found || hashtext(left(once, j - 1) || substr(once, j + 1));
            END LOOP;
        END IF;
    END LOOP;
    RETURN found;
END $$;
