"""Creates the seals of the access log and the event log."""

import django.contrib.postgres.fields
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "log",
                    models.CharField(
                        choices=[("reads", "Reads"), ("writes", "Writes")], max_length=6
                    ),
                ),
                (
                    "form",
                    models.SmallIntegerField(
                        help_text="Which columns are covered, and how they are written"
                    ),
                ),
                ("after_id", models.BigIntegerField()),
                ("to_id", models.BigIntegerField()),
                (
                    "row_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                (
                    "row_marks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), size=None
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                (
                    "sealed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("log", "after_id"), name="one_seal_behind_another"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("to_id__gt", models.F("after_id"))),
                        name="seal_goes_forward",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditseal",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="58497631d50c091587f7dcd41f2a458611cec2af",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_3a3ab",
                    table="audit_auditseal",
                    when="BEFORE",
                ),
            ),
        ),
    ]
