"""Looks up the words that a mistyped word may mean, by their indexes alone."""

from django.db import migrations

from portal.patients.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("patients", "0005_index_person")]
    operations = [
        migrations.RunSQL(
            read_sql("patients_words_near"), "DROP FUNCTION patients_words_near(text)"
        ),
    ]
