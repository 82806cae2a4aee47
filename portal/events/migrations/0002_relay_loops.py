"""Creates one row for each loop of the relay, with its last success and failure."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0001_relay"),
    ]

    operations = [
        migrations.CreateModel(
            name="RelayLoop",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("away_since", models.DateTimeField(null=True)),
                (
                    "error",
                    models.CharField(
                        blank=True, help_text="The kind of error, while it is away.", max_length=60
                    ),
                ),
                (
                    "looked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
    ]
