"""Checks that each merged record has a survivor, without blocking writers."""

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models

# No page could merge before, so only SQL can have marked a record as merged, and its survivor is
# unknown. An archived record stays off the lists with its account closed; a user may merge or restore
# it. The log has the change.
ARCHIVE_WITHOUT_SURVIVOR = """
DO $$
BEGIN  -- A new database has no patients, and not yet the function that the log's trigger calls.
    IF EXISTS (SELECT FROM patients_patient WHERE status = 'merged' AND status <> 'active') THEN
        UPDATE patients_patient SET status = 'archived'
        WHERE status = 'merged' AND status <> 'active' AND merged_into_id IS NULL;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY runs outside of transactions only.
    dependencies = [("patients", "0010_merged_into"), ("patients", "0011_possible_duplicates")]
    operations = [
        migrations.RunSQL(ARCHIVE_WITHOUT_SURVIVOR, ""),
        ValidateConstraint(model_name="patient", name="patient_merged_into_another"),
        AddIndexConcurrently(
            model_name="patient",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["merged_into"],
                name="patient_by_survivor",
            ),
        ),
    ]
