"""Creates the baseline's tables, a user, and the patients of the portal."""

import os
import tempfile

import django
import psycopg2

# The portal's columns, by their names here.
COLUMNS = """
    id, mrn, family_name, given_name, middle_name, prefix, suffix, preferred_name, date_of_birth,
    date_of_birth_precision, sex, email, phone, address_line1, address_line2, city, region,
    postal_code, country, marital_status, race, ethnicity, language, deceased_on, registered_on,
    status, created_at, updated_at
"""
CLERK = "clerk"


def fill(portal_url: str, *, password: str) -> None:
    """Fills the database of PLAIN_DATABASE_URL."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.plain_drf.settings"
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    User.objects.create_superuser(CLERK, password=password)
    copy_patients(portal_url, os.environ["PLAIN_DATABASE_URL"])


def copy_patients(portal_url: str, plain_url: str) -> None:
    portal, plain = psycopg2.connect(portal_url), psycopg2.connect(plain_url)
    with tempfile.TemporaryFile() as file:
        with portal.cursor() as cursor:
            cursor.copy_expert(f"COPY patients_patient ({COLUMNS}) TO STDOUT", file)
        portal.close()
        file.seek(0)
        with plain.cursor() as cursor:
            cursor.execute("ALTER TABLE plain_drf_patient ALTER billing_account_id SET DEFAULT ''")
            cursor.copy_expert(f"COPY plain_drf_patient ({COLUMNS}) FROM STDIN", file)
        plain.commit()
        plain.autocommit = True
        with plain.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE plain_drf_patient")
        plain.close()
