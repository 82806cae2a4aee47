-- Returns the next MRN: a sequence number and its Damm check digit, which finds every single wrong
-- digit and every swap of two neighbours.
CREATE OR REPLACE FUNCTION patients_next_mrn() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    number text := nextval('patients_mrn_seq')::text;
    squares constant text := '0317598642709215486342068713591750983426612304597836742095815869720134894536201794386172052581436790';
    digit text;
    interim int := 0;
BEGIN
    FOREACH digit IN ARRAY string_to_array(number, NULL) LOOP
        interim := substr(squares, interim * 10 + digit::int + 1, 1)::int;
    END LOOP;
    RETURN number || interim::text;
END $$;
