"""Creates patients, identifiers, the event log, the outbox and the access log."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("patients", "0001_functions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EventOutbox",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
            ],
            options={
                "ordering": ["event_id"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="PatientEvent",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                (
                    "id",
                    models.UUIDField(
                        db_default=models.Func(function="uuidv7"),
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        serialize=False,
                    ),
                ),
                (
                    "mrn",
                    models.CharField(
                        db_default=models.Func(function="patients_next_mrn"),
                        editable=False,
                        max_length=20,
                        verbose_name="MRN",
                    ),
                ),
                (
                    "family_name",
                    models.CharField(blank=True, db_default="", default="", max_length=120),
                ),
                (
                    "given_name",
                    models.CharField(blank=True, db_default="", default="", max_length=120),
                ),
                (
                    "middle_name",
                    models.CharField(blank=True, db_default="", default="", max_length=120),
                ),
                (
                    "prefix",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=30, verbose_name="title"
                    ),
                ),
                ("suffix", models.CharField(blank=True, db_default="", default="", max_length=30)),
                (
                    "preferred_name",
                    models.CharField(blank=True, db_default="", default="", max_length=120),
                ),
                ("date_of_birth", models.DateField(blank=True, null=True)),
                (
                    "date_of_birth_precision",
                    models.CharField(
                        choices=[
                            ("day", "Day"),
                            ("month", "Month and year"),
                            ("year", "Year only"),
                        ],
                        db_default="day",
                        default="day",
                        max_length=5,
                    ),
                ),
                (
                    "sex",
                    models.CharField(
                        choices=[
                            ("female", "Female"),
                            ("male", "Male"),
                            ("other", "Other"),
                            ("unknown", "Unknown"),
                        ],
                        db_default="unknown",
                        default="unknown",
                        max_length=7,
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True, db_default="", default="", max_length=254, verbose_name="e-mail"
                    ),
                ),
                ("phone", models.CharField(blank=True, db_default="", default="", max_length=40)),
                (
                    "phone_e164",
                    models.CharField(
                        blank=True, db_default="", default="", editable=False, max_length=16
                    ),
                ),
                (
                    "address_line1",
                    models.CharField(blank=True, db_default="", default="", max_length=200),
                ),
                (
                    "address_line2",
                    models.CharField(blank=True, db_default="", default="", max_length=200),
                ),
                ("city", models.CharField(blank=True, db_default="", default="", max_length=100)),
                (
                    "region",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=100,
                        verbose_name="state or region",
                    ),
                ),
                (
                    "postal_code",
                    models.CharField(blank=True, db_default="", default="", max_length=20),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="ISO 3166-1 alpha-2",
                        max_length=2,
                    ),
                ),
                (
                    "marital_status",
                    models.CharField(blank=True, db_default="", default="", max_length=30),
                ),
                ("race", models.CharField(blank=True, db_default="", default="", max_length=60)),
                (
                    "ethnicity",
                    models.CharField(blank=True, db_default="", default="", max_length=60),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="BCP 47, such as en or pt-BR",
                        max_length=35,
                    ),
                ),
                ("deceased_on", models.DateField(blank=True, null=True)),
                (
                    "registered_on",
                    models.DateField(
                        db_default=models.Func(function="CURRENT_DATE", template="%(function)s")
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("portal", "Staff pages"),
                            ("api", "API"),
                            ("admin", "Admin"),
                            ("import", "Import"),
                            ("command", "Command"),
                        ],
                        db_default="command",
                        default="command",
                        max_length=7,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("archived", "Archived"),
                            ("merged", "Merged"),
                        ],
                        db_default="active",
                        default="active",
                        max_length=8,
                    ),
                ),
                ("version", models.BigIntegerField(db_default=1, default=1, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "ordering": ["pgh_id"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="PatientIdentifier",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "system",
                    models.CharField(
                        help_text="ssn, driver, passport, insurance, or a URI", max_length=200
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        help_text="Letters and digits only, in capitals", max_length=100
                    ),
                ),
                ("valid_from", models.DateField(blank=True, null=True)),
                ("valid_to", models.DateField(blank=True, null=True)),
            ],
            options={
                "ordering": ["system", "value"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="AccessRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("action", models.CharField(max_length=12)),
                ("door", models.CharField(max_length=7)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                (
                    "patient_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), size=None
                    ),
                ),
                (
                    "user",
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
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Patient",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=models.Func(function="uuidv7"),
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mrn",
                    models.CharField(
                        db_default=models.Func(function="patients_next_mrn"),
                        editable=False,
                        max_length=20,
                        unique=True,
                        verbose_name="MRN",
                    ),
                ),
                (
                    "family_name",
                    models.CharField(blank=True, db_default="", default="", max_length=120),
                ),
                (
                    "given_name",
                    models.CharField(blank=True, db_default="", default="", max_length=120),
                ),
                (
                    "middle_name",
                    models.CharField(blank=True, db_default="", default="", max_length=120),
                ),
                (
                    "prefix",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=30, verbose_name="title"
                    ),
                ),
                ("suffix", models.CharField(blank=True, db_default="", default="", max_length=30)),
                (
                    "preferred_name",
                    models.CharField(blank=True, db_default="", default="", max_length=120),
                ),
                ("date_of_birth", models.DateField(blank=True, null=True)),
                (
                    "date_of_birth_precision",
                    models.CharField(
                        choices=[
                            ("day", "Day"),
                            ("month", "Month and year"),
                            ("year", "Year only"),
                        ],
                        db_default="day",
                        default="day",
                        max_length=5,
                    ),
                ),
                (
                    "sex",
                    models.CharField(
                        choices=[
                            ("female", "Female"),
                            ("male", "Male"),
                            ("other", "Other"),
                            ("unknown", "Unknown"),
                        ],
                        db_default="unknown",
                        default="unknown",
                        max_length=7,
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True, db_default="", default="", max_length=254, verbose_name="e-mail"
                    ),
                ),
                ("phone", models.CharField(blank=True, db_default="", default="", max_length=40)),
                (
                    "phone_e164",
                    models.CharField(
                        blank=True, db_default="", default="", editable=False, max_length=16
                    ),
                ),
                (
                    "address_line1",
                    models.CharField(blank=True, db_default="", default="", max_length=200),
                ),
                (
                    "address_line2",
                    models.CharField(blank=True, db_default="", default="", max_length=200),
                ),
                ("city", models.CharField(blank=True, db_default="", default="", max_length=100)),
                (
                    "region",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=100,
                        verbose_name="state or region",
                    ),
                ),
                (
                    "postal_code",
                    models.CharField(blank=True, db_default="", default="", max_length=20),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="ISO 3166-1 alpha-2",
                        max_length=2,
                    ),
                ),
                (
                    "marital_status",
                    models.CharField(blank=True, db_default="", default="", max_length=30),
                ),
                ("race", models.CharField(blank=True, db_default="", default="", max_length=60)),
                (
                    "ethnicity",
                    models.CharField(blank=True, db_default="", default="", max_length=60),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="BCP 47, such as en or pt-BR",
                        max_length=35,
                    ),
                ),
                ("deceased_on", models.DateField(blank=True, null=True)),
                (
                    "registered_on",
                    models.DateField(
                        db_default=models.Func(function="CURRENT_DATE", template="%(function)s")
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("portal", "Staff pages"),
                            ("api", "API"),
                            ("admin", "Admin"),
                            ("import", "Import"),
                            ("command", "Command"),
                        ],
                        db_default="command",
                        default="command",
                        max_length=7,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("archived", "Archived"),
                            ("merged", "Merged"),
                        ],
                        db_default="active",
                        default="active",
                        max_length=8,
                    ),
                ),
                ("version", models.BigIntegerField(db_default=1, default=1, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "changed_in",
                    models.BigIntegerField(
                        db_default=models.Func(function="patients_transaction"), editable=False
                    ),
                ),
                (
                    "name_words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "given_name",
                            "middle_name",
                            "family_name",
                            "preferred_name",
                            function="patients_name_words",
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "sort_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            "family_name", "given_name", function="patients_sort_key"
                        ),
                        output_field=models.TextField(db_collation="C"),
                    ),
                ),
                (
                    "phone_tail",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func("phone", function="patients_phone_tail"),
                        output_field=models.TextField(db_collation="C"),
                    ),
                ),
            ],
            options={
                "ordering": ["sort_key", "id"],
                "permissions": [
                    ("archive_patient", "Can archive and restore patients"),
                    ("view_history", "Can see what changed"),
                    ("view_access", "Can see who looked"),
                ],
                "default_permissions": ("add", "change", "view"),
                "indexes": [
                    models.Index(fields=["sort_key", "id"], name="patient_in_list_order"),
                    models.Index(fields=["date_of_birth"], name="patient_by_birth"),
                    models.Index(fields=["phone_tail"], name="patient_by_phone"),
                    models.Index(fields=["registered_on"], name="patient_by_registration"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["name_words"], name="patient_by_name_word"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("family_name", ""), ("given_name", ""), _negated=True),
                        name="patient_has_a_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sex__in", ["female", "male", "other", "unknown"])),
                        name="patient_sex_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["active", "archived", "merged"])),
                        name="patient_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("source__in", ["portal", "api", "admin", "import", "command"])
                        ),
                        name="patient_source_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("date_of_birth_precision__in", ["day", "month", "year"])
                        ),
                        name="patient_precision_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("date_of_birth", None),
                            ("date_of_birth__gte", "1850-01-01"),
                            _connector="OR",
                        ),
                        name="patient_born_after_1850",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("deceased_on", None),
                            ("date_of_birth", None),
                            ("deceased_on__gte", models.F("date_of_birth")),
                            _connector="OR",
                        ),
                        name="patient_died_after_birth",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^([A-Z]{2})?$")),
                        name="patient_country_is_iso",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)), name="patient_version_from_1"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patient",
            trigger=pgtrigger.compiler.Trigger(
                name="raise_version",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            NEW.version := OLD.version;\n            NEW.created_at := OLD.created_at;\n            NEW.updated_at := OLD.updated_at;\n            IF NEW.changed_in <> patients_transaction() THEN\n                NEW.changed_in := OLD.changed_in;\n            END IF;\n            IF (NEW.mrn, NEW.family_name, NEW.given_name, NEW.middle_name, NEW.prefix, NEW.suffix, NEW.preferred_name, NEW.date_of_birth, NEW.date_of_birth_precision, NEW.sex, NEW.email, NEW.phone, NEW.phone_e164, NEW.address_line1, NEW.address_line2, NEW.city, NEW.region, NEW.postal_code, NEW.country, NEW.marital_status, NEW.race, NEW.ethnicity, NEW.language, NEW.deceased_on, NEW.registered_on, NEW.source, NEW.status) IS DISTINCT FROM (OLD.mrn, OLD.family_name, OLD.given_name, OLD.middle_name, OLD.prefix, OLD.suffix, OLD.preferred_name, OLD.date_of_birth, OLD.date_of_birth_precision, OLD.sex, OLD.email, OLD.phone, OLD.phone_e164, OLD.address_line1, OLD.address_line2, OLD.city, OLD.region, OLD.postal_code, OLD.country, OLD.marital_status, OLD.race, OLD.ethnicity, OLD.language, OLD.deceased_on, OLD.registered_on, OLD.source, OLD.status) OR NEW.changed_in <> OLD.changed_in THEN\n                NEW.version := OLD.version + 1;\n                NEW.updated_at := now();\n                NEW.changed_in := patients_transaction();\n            END IF;\n            RETURN NEW;\n        ",
                    hash="255d73465a15bf4365d3117e08f19332a9745b87",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "patients_patientevent" ("address_line1", "address_line2", "city", "country", "created_at", "date_of_birth", "date_of_birth_precision", "deceased_on", "email", "ethnicity", "family_name", "given_name", "id", "language", "marital_status", "middle_name", "mrn", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "phone_e164", "postal_code", "preferred_name", "prefix", "race", "region", "registered_on", "sex", "source", "status", "suffix", "updated_at", "version") SELECT new_values."address_line1", new_values."address_line2", new_values."city", new_values."country", new_values."created_at", new_values."date_of_birth", new_values."date_of_birth_precision", new_values."deceased_on", new_values."email", new_values."ethnicity", new_values."family_name", new_values."given_name", new_values."id", new_values."language", new_values."marital_status", new_values."middle_name", new_values."mrn", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."phone", new_values."phone_e164", new_values."postal_code", new_values."preferred_name", new_values."prefix", new_values."race", new_values."region", new_values."registered_on", new_values."sex", new_values."source", new_values."status", new_values."suffix", new_values."updated_at", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="7452bfeddad7c8e975b971434fd5a03fc6d61ab0",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "patients_patientevent" ("address_line1", "address_line2", "city", "country", "created_at", "date_of_birth", "date_of_birth_precision", "deceased_on", "email", "ethnicity", "family_name", "given_name", "id", "language", "marital_status", "middle_name", "mrn", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "phone_e164", "postal_code", "preferred_name", "prefix", "race", "region", "registered_on", "sex", "source", "status", "suffix", "updated_at", "version") SELECT new_values."address_line1", new_values."address_line2", new_values."city", new_values."country", new_values."created_at", new_values."date_of_birth", new_values."date_of_birth_precision", new_values."deceased_on", new_values."email", new_values."ethnicity", new_values."family_name", new_values."given_name", new_values."id", new_values."language", new_values."marital_status", new_values."middle_name", new_values."mrn", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."phone", new_values."phone_e164", new_values."postal_code", new_values."preferred_name", new_values."prefix", new_values."race", new_values."region", new_values."registered_on", new_values."sex", new_values."source", new_values."status", new_values."suffix", new_values."updated_at", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."address_line1" IS DISTINCT FROM (new_values."address_line1") OR old_values."address_line2" IS DISTINCT FROM (new_values."address_line2") OR old_values."city" IS DISTINCT FROM (new_values."city") OR old_values."country" IS DISTINCT FROM (new_values."country") OR old_values."created_at" IS DISTINCT FROM (new_values."created_at") OR old_values."date_of_birth" IS DISTINCT FROM (new_values."date_of_birth") OR old_values."date_of_birth_precision" IS DISTINCT FROM (new_values."date_of_birth_precision") OR old_values."deceased_on" IS DISTINCT FROM (new_values."deceased_on") OR old_values."email" IS DISTINCT FROM (new_values."email") OR old_values."ethnicity" IS DISTINCT FROM (new_values."ethnicity") OR old_values."family_name" IS DISTINCT FROM (new_values."family_name") OR old_values."given_name" IS DISTINCT FROM (new_values."given_name") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."language" IS DISTINCT FROM (new_values."language") OR old_values."marital_status" IS DISTINCT FROM (new_values."marital_status") OR old_values."middle_name" IS DISTINCT FROM (new_values."middle_name") OR old_values."mrn" IS DISTINCT FROM (new_values."mrn") OR old_values."phone" IS DISTINCT FROM (new_values."phone") OR old_values."phone_e164" IS DISTINCT FROM (new_values."phone_e164") OR old_values."postal_code" IS DISTINCT FROM (new_values."postal_code") OR old_values."preferred_name" IS DISTINCT FROM (new_values."preferred_name") OR old_values."prefix" IS DISTINCT FROM (new_values."prefix") OR old_values."race" IS DISTINCT FROM (new_values."race") OR old_values."region" IS DISTINCT FROM (new_values."region") OR old_values."registered_on" IS DISTINCT FROM (new_values."registered_on") OR old_values."sex" IS DISTINCT FROM (new_values."sex") OR old_values."source" IS DISTINCT FROM (new_values."source") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."suffix" IS DISTINCT FROM (new_values."suffix") OR old_values."updated_at" IS DISTINCT FROM (new_values."updated_at") OR old_values."version" IS DISTINCT FROM (new_values."version")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="cffa5b0abecdc0fd1d46c9f7ad9557f6dcec7796",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "patients_patientevent" ("address_line1", "address_line2", "city", "country", "created_at", "date_of_birth", "date_of_birth_precision", "deceased_on", "email", "ethnicity", "family_name", "given_name", "id", "language", "marital_status", "middle_name", "mrn", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "phone_e164", "postal_code", "preferred_name", "prefix", "race", "region", "registered_on", "sex", "source", "status", "suffix", "updated_at", "version") SELECT old_values."address_line1", old_values."address_line2", old_values."city", old_values."country", old_values."created_at", old_values."date_of_birth", old_values."date_of_birth_precision", old_values."deceased_on", old_values."email", old_values."ethnicity", old_values."family_name", old_values."given_name", old_values."id", old_values."language", old_values."marital_status", old_values."middle_name", old_values."mrn", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'delete\', old_values."id", old_values."phone", old_values."phone_e164", old_values."postal_code", old_values."preferred_name", old_values."prefix", old_values."race", old_values."region", old_values."registered_on", old_values."sex", old_values."source", old_values."status", old_values."suffix", old_values."updated_at", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="52bb50324dfe8f0d6f3e4fbaed68febaed4c82bc",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_9898d",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="patients_patient",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="patientevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="patients.patient",
            ),
        ),
        migrations.AddField(
            model_name="patientidentifier",
            name="patient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="identifiers",
                to="patients.patient",
            ),
        ),
        migrations.AddIndex(
            model_name="accessrecord",
            index=models.Index(fields=["at"], name="access_by_time"),
        ),
        migrations.AddIndex(
            model_name="accessrecord",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["patient_ids"], name="access_by_patient"
            ),
        ),
        migrations.AddConstraint(
            model_name="idempotencykey",
            constraint=models.UniqueConstraint(
                fields=("user", "key"), name="one_use_per_key", nulls_distinct=False
            ),
        ),
        migrations.AddIndex(
            model_name="patientevent",
            index=models.Index(fields=["pgh_created_at"], name="event_by_time"),
        ),
        migrations.AddConstraint(
            model_name="patientevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("pgh_label", "delete"), _negated=True),
                fields=("pgh_obj", "version"),
                name="one_event_per_version",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patientevent",
            trigger=pgtrigger.compiler.Trigger(
                name="fill_outbox",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="INSERT INTO patients_eventoutbox (event_id) SELECT pgh_id FROM new_rows ORDER BY pgh_id; RETURN NULL;",
                    hash="13fa7f695cd6bdb871fb9918424ba027784d09b5",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_fill_outbox_ef59d",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="patients_patientevent",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patientevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="d56fc44e91ee8df71d41dd0265710731967b921c",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_ade9e",
                    table="patients_patientevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="patientidentifier",
            index=models.Index(fields=["value"], name="identifier_by_value"),
        ),
        migrations.AddConstraint(
            model_name="patientidentifier",
            constraint=models.UniqueConstraint(
                fields=("system", "value"), name="one_patient_per_identifier"
            ),
        ),
        migrations.AddConstraint(
            model_name="patientidentifier",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("system", ""), _negated=True), models.Q(("value", ""), _negated=True)
                ),
                name="identifier_is_not_empty",
            ),
        ),
        migrations.AddConstraint(
            model_name="patientidentifier",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_from", None),
                    ("valid_to", None),
                    ("valid_to__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="identifier_ends_after_start",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="patientidentifier",
            trigger=pgtrigger.compiler.Trigger(
                name="touch_patient_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            UPDATE patients_patient SET changed_in = patients_transaction()\n            WHERE id IN (SELECT patient_id FROM new_rows) AND changed_in <> patients_transaction();\n            RETURN NULL;\n        ",
                    hash="635bcbc70fa61eb20ea3dc757f26fd7e8d7a4019",
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
                    func="\n            UPDATE patients_patient SET changed_in = patients_transaction()\n            WHERE id IN (SELECT patient_id FROM new_rows) AND changed_in <> patients_transaction();\n            RETURN NULL;\n        ",
                    hash="6b1ca73b700c273dc33504ad5313b15485bbf20c",
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
                    func="\n            UPDATE patients_patient SET changed_in = patients_transaction()\n            WHERE id IN (SELECT patient_id FROM old_rows) AND changed_in <> patients_transaction();\n            RETURN NULL;\n        ",
                    hash="106e3bd6f975661316434d87fa2585c8f0cea651",
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
