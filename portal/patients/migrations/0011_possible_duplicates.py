"""Creates the pairs of possible duplicates and the scans that find them."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# The database itself cascades: SQL that deletes a patient deletes the pairs too. The tables are new
# and empty, so that no check blocks a writer.
FOREIGN_KEYS = """
ALTER TABLE patients_possibleduplicate
    ADD CONSTRAINT pair_of_first
        FOREIGN KEY (first_id) REFERENCES patients_patient (id) ON DELETE CASCADE,
    ADD CONSTRAINT pair_of_second
        FOREIGN KEY (second_id) REFERENCES patients_patient (id) ON DELETE CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0009_steady_log"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DuplicateScan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("is_cut_off", models.BooleanField(default=False)),
                ("step", models.CharField(blank=True, max_length=60)),
                ("figures", models.JSONField(default=dict)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PossibleDuplicate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "grade",
                    models.CharField(
                        help_text="As in duplicates.Grade; the surest sorts first", max_length=8
                    ),
                ),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80), default=list, size=None
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "To be decided"),
                            ("apart", "Set apart"),
                            ("gone", "One of them is not active"),
                        ],
                        default="open",
                        max_length=5,
                    ),
                ),
                (
                    "found_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=200)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "first",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pairs_as_first",
                        to="patients.patient",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pairs_as_second",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "ordering": ["grade", "-id"],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        models.F("state"),
                        models.F("grade"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="pair_in_list_order",
                    ),
                    models.Index(
                        models.OrderBy(models.F("decided_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("state", "apart")),
                        name="pair_set_apart",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("first", "second"), name="one_row_per_pair"),
                    models.CheckConstraint(
                        condition=models.Q(("first__lt", models.F("second"))), name="pair_in_order"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "apart", "gone"])),
                        name="pair_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "apart"), _negated=True),
                            ("decided_at__isnull", False),
                            _connector="OR",
                        ),
                        name="pair_apart_since",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FOREIGN_KEYS, ""),
    ]
