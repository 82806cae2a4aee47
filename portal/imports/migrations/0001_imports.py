"""Creates import jobs, imported rows and rejected rows."""

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
            name="ImportJob",
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
                ("original_name", models.CharField(max_length=255)),
                ("sha256", models.CharField(db_index=True, max_length=64)),
                ("size_bytes", models.BigIntegerField()),
                ("file_format", models.CharField(max_length=10, verbose_name="format")),
                ("header", models.JSONField(default=list)),
                ("ignored_columns", models.JSONField(default=list)),
                ("dry_run", models.BooleanField(default=False)),
                ("allow_duplicates", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                (
                    "message",
                    models.CharField(
                        blank=True,
                        help_text="Why it failed; holds no personal data",
                        max_length=500,
                    ),
                ),
                (
                    "last_row",
                    models.BigIntegerField(
                        default=0, help_text="The number of the last row that was dealt with"
                    ),
                ),
                ("bytes_done", models.BigIntegerField(default=0)),
                ("new_count", models.BigIntegerField(default=0)),
                ("updated_count", models.BigIntegerField(default=0)),
                ("unchanged_count", models.BigIntegerField(default=0)),
                ("duplicate_count", models.BigIntegerField(default=0)),
                ("rejected_count", models.BigIntegerField(default=0)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("lease", models.UUIDField(blank=True, editable=False, null=True)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                (
                    "attempts",
                    models.PositiveIntegerField(
                        default=0, help_text="Starts since the last progress"
                    ),
                ),
                (
                    "rows_before",
                    models.BigIntegerField(default=0, help_text="Rows done when this start began"),
                ),
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
            },
        ),
        migrations.CreateModel(
            name="ImportedRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_number", models.BigIntegerField()),
                ("patient_id", models.UUIDField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("updated", "Updated"),
                            ("unchanged", "Unchanged"),
                            ("duplicate", "Duplicate"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="imported_rows",
                        to="imports.importjob",
                    ),
                ),
            ],
            options={
                "ordering": ["job", "row_number"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ImportReject",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_number", models.BigIntegerField()),
                ("column", models.CharField(blank=True, max_length=200)),
                ("value", models.TextField(blank=True)),
                ("reason", models.TextField()),
                (
                    "problems",
                    models.JSONField(default=list, help_text="A list of {column, value, reason}"),
                ),
                (
                    "raw",
                    models.JSONField(
                        default=list, help_text="The row as it was typed, cell by cell"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rejects",
                        to="imports.importjob",
                    ),
                ),
            ],
            options={
                "ordering": ["job", "row_number"],
                "default_permissions": ("view",),
            },
        ),
        migrations.AddIndex(
            model_name="importjob",
            index=models.Index(fields=["status", "leased_until"], name="import_job_to_do"),
        ),
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["waiting", "running", "done", "failed"])),
                name="import_status_known",
            ),
        ),
        migrations.AddIndex(
            model_name="importedrow",
            index=models.Index(fields=["job", "patient_id"], name="imported_row_by_patient"),
        ),
        migrations.AddConstraint(
            model_name="importedrow",
            constraint=models.UniqueConstraint(
                fields=("job", "row_number"), name="one_outcome_per_row"
            ),
        ),
        migrations.AddConstraint(
            model_name="importreject",
            constraint=models.UniqueConstraint(
                fields=("job", "row_number"), name="one_reject_per_row"
            ),
        ),
    ]
