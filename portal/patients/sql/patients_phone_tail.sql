-- Returns the digits of a phone number, last digit first: the end of a number is then a prefix that
-- an index can find.
CREATE OR REPLACE FUNCTION patients_phone_tail(phone text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT reverse(regexp_replace(phone, '[^0-9]', '', 'g')) $$;
