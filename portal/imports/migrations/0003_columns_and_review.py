"""Stores columns that a user set, and the rows that wait for a decision."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0002_undo"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportQuestion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_number", models.BigIntegerField()),
                (
                    "doubt",
                    models.CharField(
                        choices=[
                            ("likely", "Likely the same person as a patient"),
                            ("apart", "An identifier of a patient who differs"),
                            ("conflict", "Identifiers of different patients"),
                            ("overwrite", "Would overwrite what is recorded"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "people",
                    models.JSONField(
                        default=list, help_text="The ids of the patients whom it is about"
                    ),
                ),
                ("details", models.JSONField(default=dict, help_text="What the row says")),
                (
                    "choice",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("skip", "Leave the row out"),
                            ("update", "Update the patient"),
                            ("fill", "Add only what is missing"),
                            ("new", "Register a new person"),
                        ],
                        max_length=6,
                    ),
                ),
                ("patient_id", models.UUIDField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("chosen_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["job", "row_number"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="MappingProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("header_digest", models.CharField(db_index=True, max_length=64)),
                (
                    "columns",
                    models.JSONField(
                        default=dict, help_text="The field for each column's folded name"
                    ),
                ),
                ("saved_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": [django.db.models.functions.text.Lower("name")],
                "default_permissions": (),
            },
        ),
        migrations.RemoveConstraint(
            model_name="importjob",
            name="import_status_known",
        ),
        migrations.AddField(
            model_name="importjob",
            name="mapping",
            field=models.JSONField(
                default=list,
                help_text='The field that each column becomes, "" for none; empty if their names decide',
            ),
        ),
        migrations.AddField(
            model_name="importjob",
            name="numeric_columns",
            field=models.JSONField(
                default=list, help_text="Positions of columns that hold numbers"
            ),
        ),
        migrations.AddField(
            model_name="importjob",
            name="samples",
            field=models.JSONField(
                default=list,
                help_text="For each column its first values; kept as long as the file is",
            ),
        ),
        migrations.AddField(
            model_name="importjob",
            name="trial",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="runs",
                to="imports.importjob",
            ),
        ),
        migrations.AlterField(
            model_name="importjob",
            name="status",
            field=models.CharField(
                choices=[
                    ("mapping", "Columns to be set"),
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
                    (
                        "status__in",
                        ["mapping", "waiting", "running", "done", "failed", "undoing", "undone"],
                    )
                ),
                name="import_status_known",
            ),
        ),
        migrations.AddField(
            model_name="importquestion",
            name="chosen_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="importquestion",
            name="job",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="questions",
                to="imports.importjob",
            ),
        ),
        migrations.AddField(
            model_name="mappingprofile",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="importquestion",
            constraint=models.UniqueConstraint(
                fields=("job", "row_number"), name="one_question_per_row"
            ),
        ),
        migrations.AddConstraint(
            model_name="mappingprofile",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"), name="one_profile_per_name"
            ),
        ),
    ]
