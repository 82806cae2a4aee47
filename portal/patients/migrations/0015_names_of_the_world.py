"""Computes the search's columns anew: names folded by more rules, phones as they were understood.

The table of patients is written anew once, and its indexes with it. Nobody reads or writes patients
meanwhile: one or two minutes for a million.
"""

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models

from portal.patients.sql import read_sql

COLUMNS = """
ALTER TABLE patients_patient
    ALTER COLUMN name_words SET EXPRESSION AS
        (patients_name_words(given_name, middle_name, family_name, preferred_name)),
    ALTER COLUMN sort_key SET EXPRESSION AS (patients_sort_key(family_name, given_name)),
    ALTER COLUMN given_key SET EXPRESSION AS (patients_sort_key(given_name, family_name)),
    ALTER COLUMN phone_tail SET EXPRESSION AS (patients_nth_phone_tail(phone, phone_e164, 1)),
    ADD COLUMN name_key text COLLATE "C"
        GENERATED ALWAYS AS (patients_name_key(family_name, given_name)) STORED,
    ADD COLUMN second_phone_tail text COLLATE "C"
        GENERATED ALWAYS AS (patients_nth_phone_tail(phone, phone_e164, 2)) STORED;
"""
COLUMNS_BEFORE = """
ALTER TABLE patients_patient
    DROP COLUMN name_key,
    DROP COLUMN second_phone_tail,
    ALTER COLUMN phone_tail SET EXPRESSION AS (patients_phone_tail(phone));
"""
# The job of each night deletes the words that nobody has any more.
WORDS = """
INSERT INTO patients_nameword (word)
SELECT word FROM (
    SELECT DISTINCT unnest(tsvector_to_array(name_words)) AS word FROM patients_patient
) AS found
WHERE NOT EXISTS (
    SELECT FROM patients_nameword AS known WHERE known.word = found.word COLLATE "C"
);
"""


def computed(function: str, *arguments: object) -> models.GeneratedField:
    return models.GeneratedField(
        db_persist=True,
        expression=models.Func(*arguments, function=function),
        output_field=models.TextField(db_collation="C"),
    )


class Migration(migrations.Migration):
    dependencies = [("patients", "0014_pairs_in_order")]
    operations = [
        migrations.RunSQL(read_sql("patients_fold"), ""),
        migrations.RunSQL(read_sql("patients_sound"), ""),
        migrations.RunSQL(read_sql("patients_name_words"), ""),
        migrations.RunSQL(
            read_sql("patients_name_key"), "DROP FUNCTION patients_name_key(text, text)"
        ),
        migrations.RunSQL(
            read_sql("patients_nth_phone_tail"),
            "DROP FUNCTION patients_nth_phone_tail(text, text, int)",
        ),
        migrations.RunSQL(
            COLUMNS,
            COLUMNS_BEFORE,
            state_operations=[
                migrations.AddField(
                    "patient",
                    "name_key",
                    computed("patients_name_key", "family_name", "given_name"),
                ),
                migrations.AddField(
                    "patient",
                    "second_phone_tail",
                    computed("patients_nth_phone_tail", "phone", "phone_e164", models.Value(2)),
                ),
                migrations.AlterField(
                    "patient",
                    "phone_tail",
                    computed("patients_nth_phone_tail", "phone", "phone_e164", models.Value(1)),
                ),
            ],
        ),
        migrations.RunSQL(WORDS, ""),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(fields=["name_key", "date_of_birth"], name="patient_by_name_key"),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                condition=models.Q(("second_phone_tail", ""), _negated=True),
                fields=["second_phone_tail"],
                name="patient_by_second_phone",
            ),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                django.db.models.functions.comparison.Collate(
                    django.db.models.functions.text.Lower("email"), "C"
                ),
                name="patient_by_email",
            ),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                django.db.models.functions.comparison.Collate(
                    django.db.models.functions.text.Upper(
                        django.db.models.functions.text.Replace(
                            "postal_code", models.Value(" "), models.Value("")
                        )
                    ),
                    "C",
                ),
                name="patient_by_postal_code",
            ),
        ),
    ]
