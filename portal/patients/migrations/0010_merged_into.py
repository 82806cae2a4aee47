"""Stores the survivor with each merged record, in the log and the triggers too."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from portal.patients.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0009_steady_log"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="patient",
            options={
                "default_permissions": ("add", "change", "view"),
                "ordering": ["sort_key", "id"],
                "permissions": [
                    ("archive_patient", "Can archive and restore patients"),
                    ("merge_patient", "Can merge two records of one person, and take that back"),
                    ("export_patient", "Can take patients out as a file"),
                    ("view_history", "Can see what changed"),
                    ("view_access", "Can see who looked"),
                ],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="patient",
            name="raise_version",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="patient",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="patient",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="patient",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="patient",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged",
                to="patients.patient",
            ),
        ),
        migrations.AddField(
            model_name="patientevent",
            name="merged_into",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="patients.patient",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patient",
            trigger=pgtrigger.compiler.Trigger(
                name="raise_version",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            NEW.version := OLD.version;\n            NEW.created_at := OLD.created_at;\n            NEW.updated_at := OLD.updated_at;\n            IF NEW.changed_in <> patients_transaction() THEN\n                NEW.changed_in := OLD.changed_in;\n            END IF;\n            IF (NEW.mrn, NEW.family_name, NEW.given_name, NEW.middle_name, NEW.prefix, NEW.suffix, NEW.preferred_name, NEW.date_of_birth, NEW.date_of_birth_precision, NEW.sex, NEW.email, NEW.phone, NEW.phone_e164, NEW.address_line1, NEW.address_line2, NEW.city, NEW.region, NEW.postal_code, NEW.country, NEW.marital_status, NEW.race, NEW.ethnicity, NEW.language, NEW.deceased_on, NEW.registered_on, NEW.source, NEW.status, NEW.merged_into_id) IS DISTINCT FROM (OLD.mrn, OLD.family_name, OLD.given_name, OLD.middle_name, OLD.prefix, OLD.suffix, OLD.preferred_name, OLD.date_of_birth, OLD.date_of_birth_precision, OLD.sex, OLD.email, OLD.phone, OLD.phone_e164, OLD.address_line1, OLD.address_line2, OLD.city, OLD.region, OLD.postal_code, OLD.country, OLD.marital_status, OLD.race, OLD.ethnicity, OLD.language, OLD.deceased_on, OLD.registered_on, OLD.source, OLD.status, OLD.merged_into_id) OR NEW.changed_in <> OLD.changed_in THEN\n                NEW.version := OLD.version + 1;\n                NEW.updated_at := now();\n                NEW.changed_in := patients_transaction();\n            END IF;\n            RETURN NEW;\n        ",
                    hash="f4663e0219b77e3655d193cdc8d8a59ff74f9a59",
                    operation="UPDATE",
                    pgid="pgtrigger_raise_version_a4394",
                    table="patients_patient",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patient",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "patients_patientevent" ("address_line1", "address_line2", "city", "country", "created_at", "date_of_birth", "date_of_birth_precision", "deceased_on", "email", "ethnicity", "family_name", "given_name", "id", "language", "marital_status", "merged_into_id", "middle_name", "mrn", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "phone_e164", "postal_code", "preferred_name", "prefix", "race", "region", "registered_on", "sex", "source", "status", "suffix", "updated_at", "version") SELECT new_values."address_line1", new_values."address_line2", new_values."city", new_values."country", new_values."created_at", new_values."date_of_birth", new_values."date_of_birth_precision", new_values."deceased_on", new_values."email", new_values."ethnicity", new_values."family_name", new_values."given_name", new_values."id", new_values."language", new_values."marital_status", new_values."merged_into_id", new_values."middle_name", new_values."mrn", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."phone", new_values."phone_e164", new_values."postal_code", new_values."preferred_name", new_values."prefix", new_values."race", new_values."region", new_values."registered_on", new_values."sex", new_values."source", new_values."status", new_values."suffix", new_values."updated_at", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="6762346449ea57827312305a25e76d29bf6db558",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_62165",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="patients_patient",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patient",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "patients_patientevent" ("address_line1", "address_line2", "city", "country", "created_at", "date_of_birth", "date_of_birth_precision", "deceased_on", "email", "ethnicity", "family_name", "given_name", "id", "language", "marital_status", "merged_into_id", "middle_name", "mrn", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "phone_e164", "postal_code", "preferred_name", "prefix", "race", "region", "registered_on", "sex", "source", "status", "suffix", "updated_at", "version") SELECT new_values."address_line1", new_values."address_line2", new_values."city", new_values."country", new_values."created_at", new_values."date_of_birth", new_values."date_of_birth_precision", new_values."deceased_on", new_values."email", new_values."ethnicity", new_values."family_name", new_values."given_name", new_values."id", new_values."language", new_values."marital_status", new_values."merged_into_id", new_values."middle_name", new_values."mrn", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."phone", new_values."phone_e164", new_values."postal_code", new_values."preferred_name", new_values."prefix", new_values."race", new_values."region", new_values."registered_on", new_values."sex", new_values."source", new_values."status", new_values."suffix", new_values."updated_at", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."address_line1" IS DISTINCT FROM (new_values."address_line1") OR old_values."address_line2" IS DISTINCT FROM (new_values."address_line2") OR old_values."city" IS DISTINCT FROM (new_values."city") OR old_values."country" IS DISTINCT FROM (new_values."country") OR old_values."created_at" IS DISTINCT FROM (new_values."created_at") OR old_values."date_of_birth" IS DISTINCT FROM (new_values."date_of_birth") OR old_values."date_of_birth_precision" IS DISTINCT FROM (new_values."date_of_birth_precision") OR old_values."deceased_on" IS DISTINCT FROM (new_values."deceased_on") OR old_values."email" IS DISTINCT FROM (new_values."email") OR old_values."ethnicity" IS DISTINCT FROM (new_values."ethnicity") OR old_values."family_name" IS DISTINCT FROM (new_values."family_name") OR old_values."given_name" IS DISTINCT FROM (new_values."given_name") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."language" IS DISTINCT FROM (new_values."language") OR old_values."marital_status" IS DISTINCT FROM (new_values."marital_status") OR old_values."merged_into_id" IS DISTINCT FROM (new_values."merged_into_id") OR old_values."middle_name" IS DISTINCT FROM (new_values."middle_name") OR old_values."mrn" IS DISTINCT FROM (new_values."mrn") OR old_values."phone" IS DISTINCT FROM (new_values."phone") OR old_values."phone_e164" IS DISTINCT FROM (new_values."phone_e164") OR old_values."postal_code" IS DISTINCT FROM (new_values."postal_code") OR old_values."preferred_name" IS DISTINCT FROM (new_values."preferred_name") OR old_values."prefix" IS DISTINCT FROM (new_values."prefix") OR old_values."race" IS DISTINCT FROM (new_values."race") OR old_values."region" IS DISTINCT FROM (new_values."region") OR old_values."registered_on" IS DISTINCT FROM (new_values."registered_on") OR old_values."sex" IS DISTINCT FROM (new_values."sex") OR old_values."source" IS DISTINCT FROM (new_values."source") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."suffix" IS DISTINCT FROM (new_values."suffix") OR old_values."updated_at" IS DISTINCT FROM (new_values."updated_at") OR old_values."version" IS DISTINCT FROM (new_values."version")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="5d873d5d5e6e930b10315fd571b1c7374f219c33",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_546ce",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="patients_patient",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patient",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "patients_patientevent" ("address_line1", "address_line2", "city", "country", "created_at", "date_of_birth", "date_of_birth_precision", "deceased_on", "email", "ethnicity", "family_name", "given_name", "id", "language", "marital_status", "merged_into_id", "middle_name", "mrn", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "phone_e164", "postal_code", "preferred_name", "prefix", "race", "region", "registered_on", "sex", "source", "status", "suffix", "updated_at", "version") SELECT old_values."address_line1", old_values."address_line2", old_values."city", old_values."country", old_values."created_at", old_values."date_of_birth", old_values."date_of_birth_precision", old_values."deceased_on", old_values."email", old_values."ethnicity", old_values."family_name", old_values."given_name", old_values."id", old_values."language", old_values."marital_status", old_values."merged_into_id", old_values."middle_name", old_values."mrn", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'delete\', old_values."id", old_values."phone", old_values."phone_e164", old_values."postal_code", old_values."preferred_name", old_values."prefix", old_values."race", old_values."region", old_values."registered_on", old_values."sex", old_values."source", old_values."status", old_values."suffix", old_values."updated_at", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="5d6db431d934c3b5cb24683e18612db05f0649f8",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_9898d",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="patients_patient",
                    when="AFTER",
                ),
            ),
        ),
        # 0012 updates patients before `migrate` ends, and so before the setting comes by itself.
        migrations.RunSQL(read_sql("log_trigger_settings"), ""),
        # Holds for new rows; 0012 checks the existing rows without blocking writers.
        AddConstraintNotValid(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("merged_into__isnull", False),
                        ("status", "merged"),
                        models.Q(("merged_into", models.F("id")), _negated=True),
                    ),
                    models.Q(models.Q(("status", "merged"), _negated=True), ("merged_into", None)),
                    _connector="OR",
                ),
                name="patient_merged_into_another",
            ),
        ),
    ]
