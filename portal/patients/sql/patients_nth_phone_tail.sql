-- Returns the digits of the first or second number in a phone field, last digit first: the end of
-- a number is then a prefix that an index can find. The first number is taken as it was understood
-- (E.164), where it was. An extension is left out. `030/1234567` is one number: both of two numbers
-- have at least seven digits, but for `617 555 0131 / 32`, where the second has other last digits.
CREATE OR REPLACE FUNCTION patients_nth_phone_tail(phone text, phone_e164 text, nth int)
RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    plain text;
    numbers text[];
    half int;
    ending text[];
BEGIN
    IF nth = 1 AND phone_e164 <> '' THEN
        RETURN patients_phone_tail(phone_e164);
    END IF;
    IF phone !~ '[0-9]' OR (nth > 1 AND phone !~ '[^0-9 .()+-]' AND length(phone) < 16) THEN
        RETURN '';
    END IF;
    plain := regexp_replace(
        phone, '(?<![a-z])(x|extn?|extension|poste|p|#)[ .:=]*[0-9]{1,6}(?![0-9])', '', 'gi');
    numbers := ARRAY(
        SELECT patients_phone_tail(part) FROM regexp_split_to_table(plain, '[^0-9 .()+-]+') AS part
        WHERE length(patients_phone_tail(part)) >= 7
    );
    half := length(numbers[1]) / 2;
    IF cardinality(numbers) = 1 AND half > 7 AND length(numbers[1]) = 2 * half THEN
        numbers := ARRAY[right(numbers[1], half), left(numbers[1], half)];
    END IF;
    IF cardinality(numbers) > 1 AND nth > 1 AND phone_e164 <> '' THEN
        RETURN coalesce((
            SELECT number FROM unnest(numbers) WITH ORDINALITY AS other (number, place)
            WHERE left(number, 7) <> left(patients_phone_tail(phone_e164), 7)
            ORDER BY place LIMIT 1
        ), '');
    END IF;
    IF cardinality(numbers) > 1 THEN
        RETURN numbers[nth];
    END IF;
    IF nth = 1 THEN
        RETURN patients_phone_tail(plain);
    END IF;
    ending := regexp_match(plain, '^(.*[0-9]) *[/,&] *([0-9]{1,4}) *$');
    IF length(patients_phone_tail(ending[1])) >= 7 THEN
        RETURN reverse(ending[2])
            || substr(patients_phone_tail(ending[1]), length(ending[2]) + 1);
    END IF;
    RETURN '';
END $$;
