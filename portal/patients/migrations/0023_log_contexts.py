"""Lets the log have a context for each row, and keeps no context beside it.

The table of contexts held what each row of the log has, and nothing read it: it is emptied. The
triggers are exchanged in a moment. Where it does not get the lock, run `migrate` again.
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

# A new database may not have it yet.
EMPTY_CONTEXTS = """
DO $$
BEGIN
    IF to_regclass('pghistory_context') IS NOT NULL THEN
        TRUNCATE pghistory_context;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0022_fewer_plans_a_write"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", ""),
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
        pgtrigger.migrations.AddTrigger(
            model_name="patient",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE shared_context jsonb := nullif(current_setting('pghistory.context_metadata', true), '')::jsonb; contexts jsonb := nullif(current_setting('portal.contexts', true), '')::jsonb; context_id uuid := nullif(current_setting('pghistory.context_id', true), '')::uuid;",
                    func="INSERT INTO patients_patientevent (id, mrn, family_name, given_name, middle_name, prefix, suffix, preferred_name, date_of_birth, date_of_birth_precision, sex, email, phone, phone_e164, address_line1, address_line2, city, region, postal_code, country, marital_status, race, ethnicity, language, deceased_on, registered_on, source, status, version, created_at, updated_at, merged_into_id, pgh_obj_id, pgh_created_at, pgh_label, pgh_context, pgh_context_id) SELECT new_values.id, new_values.mrn, new_values.family_name, new_values.given_name, new_values.middle_name, new_values.prefix, new_values.suffix, new_values.preferred_name, new_values.date_of_birth, new_values.date_of_birth_precision, new_values.sex, new_values.email, new_values.phone, new_values.phone_e164, new_values.address_line1, new_values.address_line2, new_values.city, new_values.region, new_values.postal_code, new_values.country, new_values.marital_status, new_values.race, new_values.ethnicity, new_values.language, new_values.deceased_on, new_values.registered_on, new_values.source, new_values.status, new_values.version, new_values.created_at, new_values.updated_at, new_values.merged_into_id, new_values.id, now(), 'insert', coalesce(contexts -> new_values.id::text, shared_context), CASE WHEN contexts ? new_values.id::text THEN gen_random_uuid() ELSE context_id END FROM (SELECT new_values.* FROM new_values ) AS new_values; RETURN NULL;",
                    hash="1c7dacbe9b4e2e2274786815a32ae923210fc631",
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
                    declare="DECLARE shared_context jsonb := nullif(current_setting('pghistory.context_metadata', true), '')::jsonb; contexts jsonb := nullif(current_setting('portal.contexts', true), '')::jsonb; context_id uuid := nullif(current_setting('pghistory.context_id', true), '')::uuid;",
                    func='INSERT INTO patients_patientevent (id, mrn, family_name, given_name, middle_name, prefix, suffix, preferred_name, date_of_birth, date_of_birth_precision, sex, email, phone, phone_e164, address_line1, address_line2, city, region, postal_code, country, marital_status, race, ethnicity, language, deceased_on, registered_on, source, status, version, created_at, updated_at, merged_into_id, pgh_obj_id, pgh_created_at, pgh_label, pgh_context, pgh_context_id) SELECT new_values.id, new_values.mrn, new_values.family_name, new_values.given_name, new_values.middle_name, new_values.prefix, new_values.suffix, new_values.preferred_name, new_values.date_of_birth, new_values.date_of_birth_precision, new_values.sex, new_values.email, new_values.phone, new_values.phone_e164, new_values.address_line1, new_values.address_line2, new_values.city, new_values.region, new_values.postal_code, new_values.country, new_values.marital_status, new_values.race, new_values.ethnicity, new_values.language, new_values.deceased_on, new_values.registered_on, new_values.source, new_values.status, new_values.version, new_values.created_at, new_values.updated_at, new_values.merged_into_id, new_values.id, now(), \'update\', coalesce(contexts -> new_values.id::text, shared_context), CASE WHEN contexts ? new_values.id::text THEN gen_random_uuid() ELSE context_id END FROM (SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."address_line1" IS DISTINCT FROM (new_values."address_line1") OR old_values."address_line2" IS DISTINCT FROM (new_values."address_line2") OR old_values."city" IS DISTINCT FROM (new_values."city") OR old_values."country" IS DISTINCT FROM (new_values."country") OR old_values."created_at" IS DISTINCT FROM (new_values."created_at") OR old_values."date_of_birth" IS DISTINCT FROM (new_values."date_of_birth") OR old_values."date_of_birth_precision" IS DISTINCT FROM (new_values."date_of_birth_precision") OR old_values."deceased_on" IS DISTINCT FROM (new_values."deceased_on") OR old_values."email" IS DISTINCT FROM (new_values."email") OR old_values."ethnicity" IS DISTINCT FROM (new_values."ethnicity") OR old_values."family_name" IS DISTINCT FROM (new_values."family_name") OR old_values."given_name" IS DISTINCT FROM (new_values."given_name") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."language" IS DISTINCT FROM (new_values."language") OR old_values."marital_status" IS DISTINCT FROM (new_values."marital_status") OR old_values."merged_into_id" IS DISTINCT FROM (new_values."merged_into_id") OR old_values."middle_name" IS DISTINCT FROM (new_values."middle_name") OR old_values."mrn" IS DISTINCT FROM (new_values."mrn") OR old_values."phone" IS DISTINCT FROM (new_values."phone") OR old_values."phone_e164" IS DISTINCT FROM (new_values."phone_e164") OR old_values."postal_code" IS DISTINCT FROM (new_values."postal_code") OR old_values."preferred_name" IS DISTINCT FROM (new_values."preferred_name") OR old_values."prefix" IS DISTINCT FROM (new_values."prefix") OR old_values."race" IS DISTINCT FROM (new_values."race") OR old_values."region" IS DISTINCT FROM (new_values."region") OR old_values."registered_on" IS DISTINCT FROM (new_values."registered_on") OR old_values."sex" IS DISTINCT FROM (new_values."sex") OR old_values."source" IS DISTINCT FROM (new_values."source") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."suffix" IS DISTINCT FROM (new_values."suffix") OR old_values."updated_at" IS DISTINCT FROM (new_values."updated_at") OR old_values."version" IS DISTINCT FROM (new_values."version"))) AS new_values; RETURN NULL;',
                    hash="a599ae2c0b2f1e370833ac228e78373d13b8a173",
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
                    declare="DECLARE shared_context jsonb := nullif(current_setting('pghistory.context_metadata', true), '')::jsonb; contexts jsonb := nullif(current_setting('portal.contexts', true), '')::jsonb; context_id uuid := nullif(current_setting('pghistory.context_id', true), '')::uuid;",
                    func="INSERT INTO patients_patientevent (id, mrn, family_name, given_name, middle_name, prefix, suffix, preferred_name, date_of_birth, date_of_birth_precision, sex, email, phone, phone_e164, address_line1, address_line2, city, region, postal_code, country, marital_status, race, ethnicity, language, deceased_on, registered_on, source, status, version, created_at, updated_at, merged_into_id, pgh_obj_id, pgh_created_at, pgh_label, pgh_context, pgh_context_id) SELECT old_values.id, old_values.mrn, old_values.family_name, old_values.given_name, old_values.middle_name, old_values.prefix, old_values.suffix, old_values.preferred_name, old_values.date_of_birth, old_values.date_of_birth_precision, old_values.sex, old_values.email, old_values.phone, old_values.phone_e164, old_values.address_line1, old_values.address_line2, old_values.city, old_values.region, old_values.postal_code, old_values.country, old_values.marital_status, old_values.race, old_values.ethnicity, old_values.language, old_values.deceased_on, old_values.registered_on, old_values.source, old_values.status, old_values.version, old_values.created_at, old_values.updated_at, old_values.merged_into_id, old_values.id, now(), 'delete', coalesce(contexts -> old_values.id::text, shared_context), CASE WHEN contexts ? old_values.id::text THEN gen_random_uuid() ELSE context_id END FROM (SELECT old_values.* FROM old_values ) AS old_values; RETURN NULL;",
                    hash="ec33e67e87157f1edfd02cf765e3f71d149c7e49",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_9898d",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="patients_patient",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(EMPTY_CONTEXTS, ""),
    ]
