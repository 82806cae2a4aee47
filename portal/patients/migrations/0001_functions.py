"""Creates the functions that columns and triggers of the patients' tables call."""

from django.db import migrations

from portal.patients.sql import read_sql

# A function that calls another one comes after it. Both are dropped in the opposite order.
FUNCTIONS = {
    "patients_next_mrn": "DROP FUNCTION patients_next_mrn()",
    "patients_transaction": "DROP FUNCTION patients_transaction()",
    "patients_fold": "DROP FUNCTION patients_fold(text)",
    "patients_name_words": "DROP FUNCTION patients_name_words(text[])",
    "patients_sort_key": "DROP FUNCTION patients_sort_key(text, text)",
    "patients_phone_tail": "DROP FUNCTION patients_phone_tail(text)",
}


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE patients_mrn_seq START 1000001",
            "DROP SEQUENCE patients_mrn_seq",
        ),
        *(migrations.RunSQL(read_sql(name), drop) for name, drop in FUNCTIONS.items()),
    ]
