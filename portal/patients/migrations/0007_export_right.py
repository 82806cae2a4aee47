"""Adds the right to export patients."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0006_words_near"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="patient",
            options={
                "default_permissions": ("add", "change", "view"),
                "ordering": ["sort_key", "id"],
                "permissions": [
                    ("archive_patient", "Can archive and restore patients"),
                    ("export_patient", "Can take patients out as a file"),
                    ("view_history", "Can see what changed"),
                    ("view_access", "Can see who looked"),
                ],
            },
        ),
    ]
