-- Returns the digits of the first or second number in a phone field, last digit first: the end of
-- a number is then a prefix that an index can find. The first number is taken as it was understood
-- (E.164), where it was. An extension is left out. `030/1234567` is one number: both of two numbers
-- have at least seven digits.
CREATE OR REPLACE FUNCTION patients_nth_phone_tail(phone text, phone_e164 text, nth int)
RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    numbers text[];
BEGIN
    IF nth = 1 AND phone_e164 <> '' THEN
        RETURN patients_phone_tail(phone_e164);
    END IF;
    IF phone !~ '[0-9]' OR (nth > 1 AND phone !~ '[^0-9 .()+-]') THEN
        RETURN '';
    END IF;
    numbers := ARRAY(
        SELECT regexp_replace(part, '(x|ext|#).*', '', 'i')
        FROM regexp_split_to_table(phone, '[/;,|&]|\y(or|and)\y', 'i') AS part
        WHERE length(regexp_replace(part, '(x|ext|#).*|[^0-9]', '', 'gi')) >= 7
    );
    IF cardinality(numbers) < 2 THEN
        numbers := ARRAY[regexp_replace(phone, '(x|ext|#).*', '', 'i')];
    END IF;
    RETURN coalesce(patients_phone_tail(numbers[nth]), '');
END $$;
