"""Creates the state of the relay and the quarantined events."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="QuarantinedEvent",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("patient_id", models.UUIDField(null=True)),
                (
                    "reason",
                    models.CharField(
                        help_text="The kind of error; its text may quote the patient.",
                        max_length=60,
                    ),
                ),
                (
                    "quarantined_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "ordering": ["-quarantined_at", "-event_id"],
                "permissions": [("resend_quarantinedevent", "Can send quarantined events again")],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="RelayLease",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("holder", models.CharField(max_length=100)),
                ("fence", models.BigIntegerField()),
                (
                    "renewed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
    ]
