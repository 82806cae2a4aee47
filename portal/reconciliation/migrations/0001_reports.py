"""Creates the reports of reconciliations."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReconcileReport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("is_repair", models.BooleanField(default=False, verbose_name="repair")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("agrees", "Agrees"),
                            ("differs", "Differs"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                (
                    "step",
                    models.CharField(
                        blank=True, help_text="What it does at the moment", max_length=60
                    ),
                ),
                (
                    "message",
                    models.CharField(
                        blank=True,
                        help_text="Why no proof could be given, and what to do",
                        max_length=500,
                    ),
                ),
                ("figures", models.JSONField(blank=True, default=dict)),
                ("difference_count", models.BigIntegerField(default=0)),
                (
                    "differences",
                    models.JSONField(blank=True, default=list, help_text="The first ones"),
                ),
                (
                    "repaired",
                    models.JSONField(blank=True, default=list, help_text="What the repair did"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "default_permissions": ("add", "view"),
                "indexes": [models.Index(fields=["-finished_at"], name="reconcile_report_by_end")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["waiting", "running", "agrees", "differs", "failed"])
                        ),
                        name="reconcile_status_known",
                    )
                ],
            },
        ),
    ]
