"""Functions that columns and triggers of the patients' tables call."""

from django.db import migrations

FUNCTIONS = r"""
CREATE SEQUENCE patients_mrn_seq START 1000001;

-- A sequence number and its Damm check digit: finds every single wrong digit and every swap of two neighbours.
CREATE FUNCTION patients_next_mrn() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
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

CREATE FUNCTION patients_transaction() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT pg_current_xact_id()::text::bigint $$;

-- Lower case, without accents, letters and digits only, words parted by one space.
CREATE FUNCTION patients_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        lower(regexp_replace(normalize(value, NFKD), U&'[\0300-\036F]', '', 'g') COLLATE "pg_c_utf8"),
        '[^[:alnum:]]+' COLLATE "pg_c_utf8", ' ', 'g'))
$$;

CREATE FUNCTION patients_name_words(VARIADIC names text[]) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array_remove(string_to_array(patients_fold(array_to_string(names, ' ')), ' '), ''))
$$;

CREATE FUNCTION patients_sort_key(family text, given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT patients_fold(family || ' ' || given) $$;

-- Digits of a phone number, last digit first: the tail of a number is then a prefix that an index can find.
CREATE FUNCTION patients_phone_tail(phone text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT reverse(regexp_replace(phone, '[^0-9]', '', 'g')) $$;
"""

DROP = """
DROP FUNCTION patients_phone_tail(text);
DROP FUNCTION patients_sort_key(text, text);
DROP FUNCTION patients_name_words(text[]);
DROP FUNCTION patients_fold(text);
DROP FUNCTION patients_transaction();
DROP FUNCTION patients_next_mrn();
DROP SEQUENCE patients_mrn_seq;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
