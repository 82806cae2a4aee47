"""Lets a write start no trigger for nothing, and plan no function anew.

The triggers are exchanged in a moment. Where it does not get the lock, run `migrate` again.
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from portal.patients.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0021_fewer_indexes"),
    ]

    operations = [
        migrations.RunSQL(read_sql("patients_sort_key"), ""),
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", ""),
        pgtrigger.migrations.RemoveTrigger(
            model_name="patientidentifier",
            name="touch_patient_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="patientidentifier",
            name="touch_patient_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="patientidentifier",
            name="touch_patient_delete",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patientidentifier",
            trigger=pgtrigger.compiler.Trigger(
                name="touch_patient_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (SELECT FROM patients_patient WHERE id IN (SELECT patient_id FROM new_rows) AND changed_in <> patients_transaction()) THEN\n                UPDATE patients_patient SET changed_in = patients_transaction() WHERE id IN (SELECT patient_id FROM new_rows) AND changed_in <> patients_transaction();\n            END IF;\n            RETURN NULL;\n        ",
                    hash="680fb2c6067c20ea922db588c093c4b8270e83d9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_touch_patient_insert_56088",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="patients_patientidentifier",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patientidentifier",
            trigger=pgtrigger.compiler.Trigger(
                name="touch_patient_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (SELECT FROM patients_patient WHERE id IN (SELECT patient_id FROM new_rows) AND changed_in <> patients_transaction()) THEN\n                UPDATE patients_patient SET changed_in = patients_transaction() WHERE id IN (SELECT patient_id FROM new_rows) AND changed_in <> patients_transaction();\n            END IF;\n            RETURN NULL;\n        ",
                    hash="bdae352770dacb02aa42a8a4dacc355d1224b965",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_touch_patient_update_32c8b",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="patients_patientidentifier",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patientidentifier",
            trigger=pgtrigger.compiler.Trigger(
                name="touch_patient_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (SELECT FROM patients_patient WHERE id IN (SELECT patient_id FROM old_rows) AND changed_in <> patients_transaction()) THEN\n                UPDATE patients_patient SET changed_in = patients_transaction() WHERE id IN (SELECT patient_id FROM old_rows) AND changed_in <> patients_transaction();\n            END IF;\n            RETURN NULL;\n        ",
                    hash="2f54d61b41f203c65fb3eb92dfc55a267c3d8214",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_touch_patient_delete_82a77",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="patients_patientidentifier",
                    when="AFTER",
                ),
            ),
        ),
    ]
