"""Adds the vocabulary of names and the columns and indexes that the search needs."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.functions.comparison
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from portal.patients.sql import read_sql

# Writes the table anew once, with what the changed function makes of the names.
COLUMNS = """
ALTER TABLE patients_patient
    ALTER COLUMN name_words SET EXPRESSION AS
        (patients_name_words(given_name, middle_name, family_name, preferred_name)),
    ALTER COLUMN sort_key SET EXPRESSION AS (patients_sort_key(family_name, given_name)),
    ADD COLUMN given_key text COLLATE "C"
        GENERATED ALWAYS AS (patients_sort_key(given_name, family_name)) STORED;
"""
WORDS = """
INSERT INTO patients_nameword (word)
SELECT DISTINCT unnest(tsvector_to_array(name_words)) FROM patients_patient;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0003_idempotency_answers"),
    ]

    operations = [
        # In a database made before this migration, an apostrophe still separates two words.
        migrations.RunSQL(read_sql("patients_fold"), ""),
        migrations.RunSQL(read_sql("patients_sound"), "DROP FUNCTION patients_sound(text)"),
        migrations.RunSQL(read_sql("patients_parings"), "DROP FUNCTION patients_parings(text)"),
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
            COLUMNS,
            "ALTER TABLE patients_patient DROP COLUMN given_key",
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
