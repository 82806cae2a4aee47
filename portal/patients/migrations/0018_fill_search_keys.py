"""Fills the search keys by the new rules and indexes them, while others read and write patients.

A generated column would have to be added by writing the table anew, under a lock that keeps
everybody out. So a trigger fills these, and the patients who are there get theirs a few at a time.
If it is interrupted, run it again: it goes on.
"""

import django.db.models.functions.comparison
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from portal.patients.sql import read_sql

KEYS = ("name_key", "phone_tail", "second_phone_tail")
# What is generated in some database becomes a plain column with the values that it has.
PLAIN = f"""
ALTER TABLE patients_patient
{", ".join(f"ALTER COLUMN {key} DROP EXPRESSION IF EXISTS" for key in KEYS)};
"""
WITH_DEFAULTS = f"""
ALTER TABLE patients_patient
{", ".join(f"ALTER COLUMN {key} SET DEFAULT ''" for key in KEYS)};
"""
GENERATED = """
ALTER TABLE patients_patient DROP COLUMN phone_tail;
ALTER TABLE patients_patient ADD COLUMN phone_tail text COLLATE "C"
    GENERATED ALWAYS AS (patients_phone_tail(phone)) STORED;
CREATE INDEX patient_by_phone ON patients_patient (phone_tail);
"""
INDEXES = [
    models.Index(fields=["name_key", "date_of_birth"], name="patient_by_name_key"),
    models.Index(
        condition=models.Q(("second_phone_tail", ""), _negated=True),
        fields=["second_phone_tail"],
        name="patient_by_second_phone",
    ),
    models.Index(
        django.db.models.functions.comparison.Collate(
            django.db.models.functions.text.Lower("email"), "C"
        ),
        name="patient_by_email",
    ),
    models.Index(
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
]


def build_index(index: models.Index) -> list:
    """Returns the steps that build it anew: an interrupted build leaves one that is of no use."""
    return [
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", ""),
        AddIndexConcurrently("patient", index),
    ]


class Migration(migrations.Migration):
    atomic = False  # Each batch and each index stands alone.
    dependencies = [("patients", "0017_prove_dates")]
    operations = [
        migrations.RunSQL(
            PLAIN,
            GENERATED,
            state_operations=[
                migrations.AlterField(
                    model_name="patient",
                    name="phone_tail",
                    field=models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "phone",
                            "phone_e164",
                            models.Value(1),
                            function="patients_nth_phone_tail",
                        ),
                        output_field=models.TextField(db_collation="C"),
                    ),
                ),
            ],
        ),
        migrations.RunSQL(WITH_DEFAULTS, ""),
        pgtrigger.migrations.AddTrigger(
            model_name="patient",
            trigger=pgtrigger.compiler.Trigger(
                name="compute_search_keys",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            NEW.name_key := patients_name_key(NEW.family_name, NEW.given_name);\n            NEW.phone_tail := patients_nth_phone_tail(NEW.phone, NEW.phone_e164, 1);\n            NEW.second_phone_tail := patients_nth_phone_tail(NEW.phone, NEW.phone_e164, 2);\n            RETURN NEW;\n        ",
                    hash="021c79078eadd27b1b04d999c04637ca461839ce",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_compute_search_keys_a398f",
                    table="patients_patient",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(
            read_sql("patients_compute_search_keys"),
            "DROP PROCEDURE patients_compute_search_keys(int)",
        ),
        migrations.RunSQL("CALL patients_compute_search_keys()", ""),
        *[step for index in INDEXES for step in build_index(index)],
        migrations.RunSQL("VACUUM ANALYZE patients_patient", ""),
    ]
