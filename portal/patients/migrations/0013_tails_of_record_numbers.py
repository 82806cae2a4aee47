"""Record numbers from behind, so that their last digits are found by index. Nobody waits while it is built."""

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # An index is built beside the writers in a transaction of its own only.
    dependencies = [("patients", "0012_merged_into_another")]
    operations = [
        AddIndexConcurrently(
            model_name="patient",
            index=models.Index(
                django.db.models.functions.comparison.Collate(
                    django.db.models.functions.text.Reverse("mrn"), "C"
                ),
                name="patient_by_mrn_tail",
            ),
        ),
    ]
