"""Each merged record says into which one, also those of before; found by index. Nobody waits meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models

# No page could merge before, so only SQL can have marked a record so, and nothing says for which other one. Archived,
# it stays off the lists with its account closed; somebody may merge it, or restore it. The log tells of the change.
NAME_NOBODY = """
DO $$
BEGIN  -- On a new database there is nobody, and what the log's trigger calls comes after the migrations.
    IF EXISTS (SELECT FROM patients_patient WHERE status = 'merged' AND status <> 'active') THEN
        UPDATE patients_patient SET status = 'archived'
        WHERE status = 'merged' AND status <> 'active' AND merged_into_id IS NULL;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    atomic = False  # An index is built beside the writers in a transaction of its own only.
    dependencies = [("patients", "0010_merged_into"), ("patients", "0011_possible_duplicates")]
    operations = [
        migrations.RunSQL(NAME_NOBODY, ""),
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
