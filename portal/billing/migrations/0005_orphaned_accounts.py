"""Keeps the accounts of deleted patients, so that the relay can close them at billing."""

import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0004_index_failed"),
    ]

    operations = [
        migrations.CreateModel(
            name="OrphanedAccount",
            fields=[
                ("patient_id", models.UUIDField(primary_key=True, serialize=False)),
                ("account_id", models.CharField(blank=True, max_length=40)),
                (
                    "left_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "ordering": ["left_at"],
                "default_permissions": ("view",),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="billingaccount",
            trigger=pgtrigger.compiler.Trigger(
                name="leave_orphan",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    INSERT INTO billing_orphanedaccount (patient_id, account_id)\n                    SELECT patient_id, account_id FROM old_rows ON CONFLICT DO NOTHING;\n                    RETURN NULL;\n                ",
                    hash="cd49165b55421480e52f35d5fe85b923a3c0aad5",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_leave_orphan_2c66e",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="billing_billingaccount",
                    when="AFTER",
                ),
            ),
        ),
    ]
