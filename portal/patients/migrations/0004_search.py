"""What a search asks: the words of all names by sound and by misspelling, given names in order, numbers from behind."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.functions.comparison
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

FOLD = r"""
-- Lower case, without accents, letters and digits only, words parted by one space; an apostrophe parts no words.
CREATE OR REPLACE FUNCTION patients_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        lower(regexp_replace(normalize(translate(value, U&'\0027\0060\2018\2019\02BC', ''), NFKD), U&'[\0300-\036F]', '', 'g')
            COLLATE "pg_c_utf8"),
        '[^[:alnum:]]+' COLLATE "pg_c_utf8", ' ', 'g'))
$$;
"""
FOLD_BEFORE = r"""
CREATE OR REPLACE FUNCTION patients_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        lower(regexp_replace(normalize(value, NFKD), U&'[\0300-\036F]', '', 'g') COLLATE "pg_c_utf8"),
        '[^[:alnum:]]+' COLLATE "pg_c_utf8", ' ', 'g'))
$$;
"""
FUNCTIONS = r"""
-- How a folded word sounds. The rules are those of sounds.py, in the same order; fewer than the 32 patterns that
-- PostgreSQL keeps compiled.
CREATE FUNCTION patients_sound(word text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    w text COLLATE "C" := translate(word, 'ßøłđæœþðı', 'soldeetdi');
BEGIN
    w := regexp_replace(w, '[^a-z]', '', 'g');
    w := regexp_replace(w, '(.)\1+', '\1', 'g');
    w := regexp_replace(w, '^mc|^mac(?=[^eyh])', 'mak', 'g');
    w := regexp_replace(w, '^[gkp](?=n)|^w(?=r)|^p(?=s)', '', 'g');
    w := replace(w, 'ph', 'f');
    w := regexp_replace(w, '^x', 's', 'g');
    w := replace(w, 'x', 'ks');
    w := regexp_replace(w, 't?sch|[sz]h|sj|tch|cz', 'x', 'g');
    w := regexp_replace(w, '(?<=[aou])ch$|ch(?=[rl])', 'k', 'g');
    w := replace(w, 'ch', 'x');
    w := regexp_replace(w, '(?<=[aeiouy])gh', '', 'g');
    w := regexp_replace(w, 'dg(?=[eiy])', 'g', 'g');
    w := regexp_replace(w, '^geo', 'jo', 'g');
    w := regexp_replace(w, 'c(?=[eiy])', 's', 'g');
    w := regexp_replace(w, '[td]z|ts', 's', 'g');
    w := regexp_replace(w, '^w', 'v', 'g');
    w := regexp_replace(w, '(?<=.)[hw]', '', 'g');
    w := regexp_replace(w, '^y(?=[aeiou])', 'j', 'g');
    w := regexp_replace(w, 'mb$|mp(?=[st])', 'm', 'g');
    w := translate(w, 'cqz', 'kks');
    w := left(w, 1) || translate(substr(w, 2), 'bdgv', 'ptkf');
    w := regexp_replace(w, '(.)\1+', '\1', 'g');
    w := regexp_replace(w, '^([^aeiouy])[aou][aeiouy]*$', '\1A', 'g');
    w := regexp_replace(w, '^([^aeiouy])[eiy][aeiouy]*$', '\1E', 'g');
    w := regexp_replace(w, '^[aeiouy]+', 'A', 'g');
    w := regexp_replace(w, '[aeiouy]', '', 'g');
    RETURN upper(w);
END $$;

-- A number for the first seven letters as they are, without any one and (from four letters on) without any two of them.
-- Two words that are one or two slips apart have a number in common (W. Garbe's symmetric deletes).
CREATE FUNCTION patients_parings(word text) RETURNS int[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
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
"""
DROP = "DROP FUNCTION patients_parings(text); DROP FUNCTION patients_sound(text);"

# The table is written anew once, with what the changed function makes of the names.
ALTER = """
ALTER TABLE patients_patient
    ALTER COLUMN name_words
        SET EXPRESSION AS (patients_name_words(given_name, middle_name, family_name, preferred_name)),
    ALTER COLUMN sort_key SET EXPRESSION AS (patients_sort_key(family_name, given_name)){more};
"""
ADD = """,
    ADD COLUMN given_key text COLLATE "C" GENERATED ALWAYS AS (patients_sort_key(given_name, family_name)) STORED"""
WORDS = """
INSERT INTO patients_nameword (word)
SELECT DISTINCT unnest(tsvector_to_array(name_words)) FROM patients_patient;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0003_idempotency_answers"),
    ]

    operations = [
        migrations.RunSQL(FOLD, ""),
        migrations.RunSQL(FUNCTIONS, DROP),
        migrations.CreateModel(
            name="NameWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.TextField(db_collation="C")),
                (
                    "sound",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func("word", function="patients_sound"),
                        output_field=models.TextField(db_collation="C"),
                    ),
                ),
                (
                    "parings",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func("word", function="patients_parings"),
                        output_field=django.contrib.postgres.fields.ArrayField(
                            base_field=models.IntegerField(), size=None
                        ),
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RunSQL(
            ALTER.format(more=ADD),
            FOLD_BEFORE + ALTER.format(more=", DROP COLUMN given_key"),
            state_operations=[
                migrations.AddField(
                    model_name="patient",
                    name="given_key",
                    field=models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "given_name", "family_name", function="patients_sort_key"
                        ),
                        output_field=models.TextField(db_collation="C"),
                    ),
                ),
            ],
        ),
        migrations.RunSQL(WORDS, ""),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(fields=["given_key", "id"], name="patient_by_given_name"),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                condition=models.Q(("status", "active"), _negated=True),
                fields=["sort_key", "id"],
                name="patient_off_the_list",
            ),
        ),
        migrations.AddIndex(
            model_name="patientidentifier",
            index=models.Index(
                django.db.models.functions.comparison.Collate(
                    django.db.models.functions.text.Reverse("value"), "C"
                ),
                name="identifier_by_tail",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patient",
            trigger=pgtrigger.compiler.Trigger(
                name="learn_words_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='\n            INSERT INTO patients_nameword (word)\n            SELECT word FROM (SELECT DISTINCT unnest(tsvector_to_array(name_words)) AS word FROM new_rows) AS here\n            WHERE NOT EXISTS (SELECT FROM patients_nameword AS known WHERE known.word = here.word COLLATE "C");\n            RETURN NULL;\n        ',
                    hash="0b7c2350df10b2ea57815cb8ab4eec80ded74579",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_learn_words_insert_f4e53",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="patients_patient",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patient",
            trigger=pgtrigger.compiler.Trigger(
                name="learn_words_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='\n            INSERT INTO patients_nameword (word)\n            SELECT word FROM (SELECT DISTINCT unnest(tsvector_to_array(name_words)) AS word FROM new_rows) AS here\n            WHERE NOT EXISTS (SELECT FROM patients_nameword AS known WHERE known.word = here.word COLLATE "C");\n            RETURN NULL;\n        ',
                    hash="583d73a3706b5ffe012e6fc2c4312f08b5047ba3",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_learn_words_update_1752b",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="patients_patient",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="nameword",
            index=models.Index(fields=["word"], name="name_word_itself"),
        ),
        migrations.AddIndex(
            model_name="nameword",
            index=models.Index(fields=["sound"], name="name_word_by_sound"),
        ),
        migrations.AddIndex(
            model_name="nameword",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["parings"], name="name_word_by_parings"
            ),
        ),
    ]
