"""Finds identifiers by value in the index that keeps them apart, and MRNs in one index.

Indexes are built and dropped without blocking writers. The exchange of the constraint locks the
table for a moment, and gives up where it does not get the lock: run `migrate` again then. Each step
may run twice.
"""

from django.db import migrations, models


def _build(name: str, columns: str) -> list[str]:
    return [
        f"DROP INDEX CONCURRENTLY IF EXISTS {name}",  # Of a run that was cut short.
        f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON patients_patientidentifier ({columns})",
    ]


def _exchange(name: str) -> str:
    """Returns one string, which is one transaction. Writers wait while it waits for the lock."""
    return f"""
        SELECT set_config('lock_timeout', '3s', true);
        ALTER TABLE patients_patientidentifier
            DROP CONSTRAINT one_patient_per_identifier,
            ADD CONSTRAINT one_patient_per_identifier UNIQUE USING INDEX {name};
    """


_DROP = [
    "DROP INDEX CONCURRENTLY IF EXISTS identifier_by_value",
    # Django makes it for every unique text, for LIKE. By code points, the other serves LIKE, too.
    "DROP INDEX CONCURRENTLY IF EXISTS patients_patient_mrn_44c0c6a8_like",
]
_BUILD_AGAIN = [
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS identifier_by_value"
    " ON patients_patientidentifier (value)",
    *_build("identifier_system_first", "system, value"),
]


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY runs outside of transactions only.
    dependencies = [("patients", "0020_iteration_marks_and_older_characters")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(_build("identifier_value_first", "value, system"), ""),
                migrations.RunSQL(
                    _exchange("identifier_value_first"), _exchange("identifier_system_first")
                ),
                migrations.RunSQL(_DROP, _BUILD_AGAIN),
            ],
            state_operations=[
                migrations.RemoveIndex(model_name="patientidentifier", name="identifier_by_value"),
                migrations.RemoveConstraint(
                    model_name="patientidentifier", name="one_patient_per_identifier"
                ),
                migrations.AddConstraint(
                    model_name="patientidentifier",
                    constraint=models.UniqueConstraint(
                        fields=("value", "system"), name="one_patient_per_identifier"
                    ),
                ),
            ],
        ),
    ]
