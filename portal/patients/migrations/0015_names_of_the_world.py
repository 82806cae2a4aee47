"""Loads the functions that fold names by more rules, and adds the columns of two search keys.

The columns are empty: the migration `fill_search_keys` fills them while others work.
"""

from django.db import migrations, models

from portal.patients.sql import read_sql

COLUMNS = """
ALTER TABLE patients_patient
    ADD COLUMN name_key text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN second_phone_tail text COLLATE "C" NOT NULL DEFAULT '';
"""
COLUMNS_BEFORE = """
ALTER TABLE patients_patient DROP COLUMN name_key, DROP COLUMN second_phone_tail;
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
            ],
        ),
    ]
