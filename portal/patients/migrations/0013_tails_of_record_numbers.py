"""Finds MRNs by their last digits. The index is built without blocking writers."""

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY runs outside of transactions only.
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
