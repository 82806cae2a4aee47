"""Stores what the undo of an import did."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0001_imports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="importjob",
            name="import_status_known",
        ),
        migrations.AddField(
            model_name="importedrow",
            name="identifiers_added",
            field=models.JSONField(default=list, help_text="[system, value] of each"),
        ),
        migrations.AddField(
            model_name="importedrow",
            name="undo",
            field=models.CharField(
                blank=True,
                choices=[
                    ("archived", "Archived."),
                    ("restored", "Back to what it was before the import."),
                    ("changed", "Left alone: somebody changed this patient after the import."),
                    (
                        "later",
                        "Left alone: another import changed this patient afterwards. Undo that one first.",
                    ),
                    ("gone", "Left alone: this patient is not there any more."),
                ],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="importjob",
            name="undo_archived_count",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importjob",
            name="undo_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="importjob",
            name="undo_left_count",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importjob",
            name="undo_restored_count",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importjob",
            name="undone_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="importjob",
            name="status",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting"),
                    ("running", "Running"),
                    ("done", "Done"),
                    ("failed", "Failed"),
                    ("undoing", "Being undone"),
                    ("undone", "Undone"),
                ],
                default="waiting",
                max_length=7,
            ),
        ),
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["waiting", "running", "done", "failed", "undoing", "undone"])
                ),
                name="import_status_known",
            ),
        ),
    ]
