"""Logs changes of identifiers by triggers, and finds accesses by patient."""

import django.contrib.postgres.indexes
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0007_export_right"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="IdentifierChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("patient_id", models.UUIDField()),
                ("version", models.BigIntegerField()),
                ("is_added", models.BooleanField()),
                ("system", models.CharField(max_length=200)),
                ("value", models.CharField(max_length=100)),
                ("valid_from", models.DateField(null=True)),
                ("valid_to", models.DateField(null=True)),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="accessrecord",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("action", "list"), _negated=True),
                fields=["patient_ids"],
                name="access_by_opened_patient",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patientidentifier",
            trigger=pgtrigger.compiler.Trigger(
                name="write_identifiers_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            INSERT INTO patients_identifierchange (version, is_added, patient_id, system, value, valid_from, valid_to)\n            SELECT patient.version, rows.is_added, rows.patient_id, system, value, valid_from, valid_to\n            FROM (SELECT true AS is_added, * FROM (SELECT patient_id, system, value, valid_from, valid_to FROM new_rows) AS part) AS rows JOIN patients_patient AS patient ON patient.id = rows.patient_id\n            ORDER BY rows.patient_id, is_added, system, value;\n            RETURN NULL;\n        ",
                    hash="d6b60c0ede353da68d0bf9f0274b3f471dcff022",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_write_identifiers_insert_2a959",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="patients_patientidentifier",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patientidentifier",
            trigger=pgtrigger.compiler.Trigger(
                name="write_identifiers_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            INSERT INTO patients_identifierchange (version, is_added, patient_id, system, value, valid_from, valid_to)\n            SELECT patient.version, rows.is_added, rows.patient_id, system, value, valid_from, valid_to\n            FROM (SELECT false AS is_added, * FROM (SELECT patient_id, system, value, valid_from, valid_to FROM old_rows EXCEPT SELECT patient_id, system, value, valid_from, valid_to FROM new_rows) AS part UNION ALL SELECT true AS is_added, * FROM (SELECT patient_id, system, value, valid_from, valid_to FROM new_rows EXCEPT SELECT patient_id, system, value, valid_from, valid_to FROM old_rows) AS part) AS rows JOIN patients_patient AS patient ON patient.id = rows.patient_id\n            ORDER BY rows.patient_id, is_added, system, value;\n            RETURN NULL;\n        ",
                    hash="3c9724aacb66a23a7f9bb1a1b3d21147b6e1d706",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_write_identifiers_update_7ee86",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="patients_patientidentifier",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patientidentifier",
            trigger=pgtrigger.compiler.Trigger(
                name="write_identifiers_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            INSERT INTO patients_identifierchange (version, is_added, patient_id, system, value, valid_from, valid_to)\n            SELECT patient.version, rows.is_added, rows.patient_id, system, value, valid_from, valid_to\n            FROM (SELECT false AS is_added, * FROM (SELECT patient_id, system, value, valid_from, valid_to FROM old_rows) AS part) AS rows JOIN patients_patient AS patient ON patient.id = rows.patient_id\n            ORDER BY rows.patient_id, is_added, system, value;\n            RETURN NULL;\n        ",
                    hash="78e28d28b2d179095cf813d0fe0db470b59ba573",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_write_identifiers_delete_95656",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="patients_patientidentifier",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="identifierchange",
            index=models.Index(
                fields=["patient_id", "version"], name="identifier_change_by_patient"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="identifierchange",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="a74a01f197434bd3a188e9832ee0c8af6fbec0f1",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_0b3af",
                    table="patients_identifierchange",
                    when="BEFORE",
                ),
            ),
        ),
    ]
