"""Finds the names of those who were born on a day in the index of dates, without their rows.

Indexes are built and dropped without blocking writers. Each step may run twice.
"""

from django.db import migrations, models

_BUILD = [
    "DROP INDEX CONCURRENTLY IF EXISTS patient_by_birth_and_name",  # Of a run that was cut short.
    "CREATE INDEX CONCURRENTLY patient_by_birth_and_name"
    " ON patients_patient (date_of_birth, sort_key)",
]
_DROP = "DROP INDEX CONCURRENTLY IF EXISTS patient_by_birth_and_name"
_DROP_OLD = "DROP INDEX CONCURRENTLY IF EXISTS patient_by_birth"
_BUILD_OLD = [
    _DROP_OLD,
    "CREATE INDEX CONCURRENTLY patient_by_birth ON patients_patient (date_of_birth)",
]


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY runs outside of transactions only.
    dependencies = [("patients", "0023_log_contexts")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(_BUILD, _DROP),
                migrations.RunSQL(_DROP_OLD, _BUILD_OLD),
            ],
            state_operations=[
                migrations.RemoveIndex(model_name="patient", name="patient_by_birth"),
                migrations.AddIndex(
                    model_name="patient",
                    index=models.Index(
                        fields=["date_of_birth", "sort_key"], name="patient_by_birth_and_name"
                    ),
                ),
            ],
        ),
    ]
