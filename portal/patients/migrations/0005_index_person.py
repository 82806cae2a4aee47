"""Finds changes by user: without it, the search for a rare user reads the whole log."""

from django.db import migrations, models
from django.db.models.fields.json import KeyTransform


class Migration(migrations.Migration):
    dependencies = [("patients", "0004_search")]

    operations = [
        migrations.AddIndex(
            model_name="patientevent",
            index=models.Index(
                KeyTransform("user", "pgh_context"),
                models.F("pgh_created_at"),
                name="event_by_person",
            ),
        ),
    ]
