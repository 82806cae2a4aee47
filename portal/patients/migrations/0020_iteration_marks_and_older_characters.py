"""Folds names with Japanese iteration marks and older forms of characters, and their search keys."""

from django.db import migrations

from portal.patients.sql import read_sql


class Migration(migrations.Migration):
    atomic = False  # The keys are computed a few patients at a time.
    dependencies = [("patients", "0019_number_checks")]
    operations = [
        migrations.RunSQL(read_sql("patients_fold"), ""),
        migrations.RunSQL(read_sql("patients_nth_phone_tail"), ""),
        migrations.RunSQL("CALL patients_compute_search_keys()", ""),
    ]
